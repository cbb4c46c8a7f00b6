"""Priors of several kinds beside one another."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.checks import LARGEST_SIZE, instance_of, positive_int
from tfvae.distributions.blocks import Blocks
from tfvae.errors import UserError, UserTypeError
from tfvae.heads.parts import made_parts, serialized_parts
from tfvae.heads.posteriors.joint import joint_space
from tfvae.noise import Noise
from tfvae.priors.base import Prior
from tfvae.priors.piecewise_prior import PiecewisePrior
from tfvae.priors.standard_normal import StandardNormal

tfd = tfp.distributions


class PriorOfParts(Prior):
    """What priors of several parts share: `JointPrior`, which takes any, and those with a name.

    Args:
        priors: By name, in the order of z.
        **kwargs: Keras layer arguments.
    """

    def __init__(self, priors: Mapping[str, Prior], **kwargs: Any):
        if not isinstance(priors, Mapping) or not priors:
            raise UserTypeError(
                f"priors is {priors!r}; expected a dict of priors by name, such as "
                '{"normal": priors.StandardNormal(8), "piecewise": priors.PiecewisePrior(8)}.'
            )
        for name, prior in priors.items():
            instance_of(f"priors[{name!r}]", prior, Prior, "such as priors.StandardNormal(8)")
            if prior.needs:
                raise UserError(
                    f"priors[{name!r}] is a {type(prior).__name__}, which depends on "
                    f"{' and '.join(prior.needs)}: beside others there are priors of z alone."
                )
        super().__init__(sum(prior.latent_size for prior in priors.values()), **kwargs)
        self.names, self.parts = tuple(priors), list(priors.values())
        self.space = joint_space(
            [prior.latent_size for prior in self.parts], [prior.space for prior in self.parts]
        )

    def build(self, input_shape: Any = None) -> None:
        """Builds the parts."""
        for prior in self.parts:
            if not prior.built:
                prior.build(None)

    def distribution(self) -> Blocks:
        """Returns the law of independent vectors behind one another."""
        return Blocks([prior.distribution() for prior in self.parts])

    def generate(self, noise: Noise) -> tf.Tensor:
        """Draws `z [*leading, D]` by each part, from noise of its own."""
        draws = [prior.generate(noise.part(number)) for number, prior in enumerate(self.parts)]
        return tf.concat(draws, axis=-1)

    def quantiles(self, probabilities: tf.Tensor) -> tf.Tensor:
        """Returns those of the parts."""
        sizes = [prior.latent_size for prior in self.parts]
        own = zip(self.parts, tf.split(probabilities, sizes, axis=-1), strict=True)
        return tf.concat([prior.quantiles(its) for prior, its in own], axis=-1)


@keras.saving.register_keras_serializable("tfvae")
class JointPrior(PriorOfParts):
    """p(z) = prod_b p_b(z_b): priors of several kinds for one z, that of `JointPosterior`.

    Args:
        priors: By name, in the order of z, which is that of the posterior's parts.
        **kwargs: Keras layer arguments.

    Weights: those of the parts.

    Raises:
        UserTypeError: if `priors` is no dict of priors.
        UserError: if it is empty, or a prior depends on a condition or on the encoder.

    Example:
        >>> from tfvae.priors import PiecewisePrior, StandardNormal
        >>> prior = JointPrior({"normal": StandardNormal(2), "piecewise": PiecewisePrior(1)})
        >>> prior().mean().numpy().tolist()
        [0.0, 0.0, 0.5]

    References:
        I. V. Serban, A. G. Ororbia, J. Pineau, A. Courville, 2017, "Piecewise Latent Variables for
        Neural Variational Text Processing", arXiv:1612.00377: the hybrid of two kinds.
    """

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        config = super().get_config()
        del config["latent_size"]
        own = serialized_parts(dict(zip(self.names, self.parts, strict=True)))
        return {**config, "priors": own}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "JointPrior":
        """Creates one from `get_config`."""
        return cls(**{**config, "priors": made_parts(config["priors"])})


@keras.saving.register_keras_serializable("tfvae")
class NormalAndPiecewisePrior(PriorOfParts):
    """p(z) = N(z_1; 0, I) prod_d n rho_d(z_2d), rho learned: for `NormalAndPiecewise`.

    Args:
        latent_size: D, of both parts, at least 2: D - D // 2 are Normal, D // 2 have histograms.
        num_pieces: n, at least 2. Default 3.
        learned: Whether the masses are learned. Default True; otherwise they stay equal.
        **kwargs: Keras layer arguments.

    Weights: logits `[D // 2, n]`, from 0.

    Raises:
        UserError: if a size is out of range.

    Example:
        >>> NormalAndPiecewisePrior(3)().mean().numpy().tolist()
        [0.0, 0.0, 0.5]

    References:
        I. V. Serban, A. G. Ororbia, J. Pineau, A. Courville, 2017, arXiv:1612.00377. Departure: the
        Normal part is standard, not learned.
    """

    def __init__(self, latent_size: int, num_pieces: int = 3, learned: bool = True, **kwargs: Any):
        size = positive_int("latent_size", latent_size, minimum=2, maximum=LARGEST_SIZE)
        parts = {
            "normal": StandardNormal(size - size // 2, name="normal"),
            "piecewise": PiecewisePrior(size // 2, num_pieces, learned, name="piecewise"),
        }
        super().__init__(parts, **kwargs)
        self.num_pieces, self.learned = num_pieces, bool(learned)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "num_pieces": self.num_pieces, "learned": self.learned}
