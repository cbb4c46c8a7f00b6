"""The seam between an example and what the encoder sees of it in training."""

import math
from dataclasses import replace
from typing import Any

import tensorflow as tf

from tfvae.checks import real
from tfvae.data.fields import Field
from tfvae.errors import UserError, UserTypeError
from tfvae.noise import Noise


class Corruption:
    """q(x~|x): in training the encoder sees x~, and the likelihood is that of x (denoising).

        loss of a VAE = E_q(x~|x) E_q(z|x~)[-log p(x|z)] + E_q(x~|x) KL(q(z|x~) || p(z))

    which is a bound of log p(x) for every x~, since z may be proposed by whatever is known.
    Evaluation, codes and exported files see x itself.

    A subclass gives `corrupted(x, noise)`, registers itself with Keras, and returns its
    constructor arguments from `get_config()`. It holds no variables.

    References:
        P. Vincent et al., 2008, "Extracting and Composing Robust Features with Denoising
        Autoencoders", ICML, section 2.3. D. J. Im et al., 2017, "Denoising Criterion for
        Variational Auto-Encoding Framework", arXiv:1511.06406, eq. 5 (the bound) and lemma 1.
    """

    def __init__(self) -> None:
        if type(self).corrupted is Corruption.corrupted:
            raise UserError(
                f"{type(self).__name__} is a Corruption without corrupted(); define it."
            )

    def corrupted(self, x: tf.Tensor, noise: Noise) -> tf.Tensor:
        """Returns x~ of the shape of x, a function of x and the noise.

        Args:
            x: `[B, *event]`.
            noise: of B draws; see `uniforms` and `normals`.
        """
        raise NotImplementedError

    def check(self, field: Field) -> None:
        """Refuses a field whose values can't be corrupted so.

        Raises:
            UserError: says what to choose.
        """

    def corrupted_field(self, field: Field) -> Field:
        """Returns what x~ may hold, for x of a field: any finite values, unless one knows better.

        What is to be denoised is checked against it.
        """
        return replace(field, interval=None, spacing=None, parts=(), nonempty=False)

    def check_ends(self, field: Field, *ends: float) -> None:
        """Refuses values that are drawn in the place of x's and are none that x may have.

        Raises:
            UserError: for a value out of the field's interval, or a fraction among whole numbers.
        """
        least, most = (-math.inf, math.inf) if field.interval is None else field.interval
        whole = not field.whole or all(end == int(end) for end in ends)
        if not (whole and all(least <= end <= most for end in ends)):
            found = " and ".join(f"{end:g}" for end in ends)
            raise UserError(
                f"{type(self).__name__} draws entries of {found}, and x holds {field.values}. Give "
                "it values of these."
            )

    def checked(self, x: tf.Tensor, noise: Noise) -> tf.Tensor:
        """Returns `corrupted(x, noise)`, a tensor of the shape of x."""
        found = self.corrupted(x, noise)
        if not tf.is_tensor(found) or not found.shape.is_compatible_with(x.shape):
            raise UserTypeError(
                f"{type(self).__name__}.corrupted() returned "
                f"{getattr(found, 'shape', type(found).__name__)}; expected a tensor of the shape "
                f"of x, {x.shape}."
            )
        return found

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Corruption":
        """Creates one from `get_config`."""
        return cls(**config)


def uniforms(x: tf.Tensor, noise: Noise) -> tf.Tensor:
    """Returns a uniform number in (0, 1) for each entry of x, float32 `[B, *event]`."""
    return tf.reshape(noise.uniform(math.prod(x.shape[1:])), tf.shape(x))


def normals(x: tf.Tensor, noise: Noise) -> tf.Tensor:
    """Returns a standard normal number for each entry of x, float32 `[B, *event]`."""
    return tf.reshape(noise.normal(math.prod(x.shape[1:])), tf.shape(x))


def share(name: str, value: Any) -> float:
    """Returns a share of the entries, in (0, 1].

    Raises:
        UserError: for any other value.
    """
    if real(name, value, above=0.0) > 1.0:
        raise UserError(f"{name} must be in (0, 1], received {value!r}.")
    return float(value)
