"""The seam between features and probability."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.checks import LARGEST_SIZE, positive_int, positive_ints
from tfvae.data.fields import Field
from tfvae.distributions.counted import counted_log_prob
from tfvae.distributions.draws import Draw, draw
from tfvae.distributions.moments import Moments, moments
from tfvae.errors import UserError
from tfvae.heads.contract import checked_distribution
from tfvae.noise import Noise

tfd = tfp.distributions


# The space of most draws, in which Hamiltonian dynamics can move.
REALS = "real numbers"


class Head(keras.layers.Layer):
    """Turns features into a distribution, in float32, and owns the constraints that takes.

    A subclass gives `parameters(features)`, named tensors with one batch axis, and
    `distribution(**parameters)`, the TFP distribution that they describe, with any leading axes: so
    leading sample axes cost nothing and an exported file can hold plain tensors. All else has
    defaults: a `draw` from noise, a `code`, the `outputs` of a served file.

    The dtype defaults to float32 whatever the global policy: bfloat16 keeps 8 bits of mantissa,
    too few for log-densities that are summed over hundreds of entries.

    Args:
        event_shape: Shape of one draw, positive integers; empty for a scalar.
        **kwargs: `name`, `dtype` and what else a Keras layer takes.

    Shapes: features `[N, ...]` -> a distribution with batch shape `[N]`, event shape `event_shape`.

    Raises:
        UserError: if `event_shape` holds anything but positive integers, or a subclass lacks
            `parameters` or `distribution`.
    """

    reparameterised = True
    """Whether a draw is a differentiable function of the parameters and of noise."""

    smooth = True
    """Whether log q changes along z by its slope alone: not where it jumps, as that of steps."""

    strata = 1
    """Of how many parts `draw_strata` draws: the components of a mixture."""

    evaluates = True
    """Whether log q of a given z can be evaluated, and not only that of what was drawn."""

    interval: tuple[float, float] | None = None
    """Where draws lie; None for any real number. A likelihood's is what x may hold."""

    event_dtype = "float32"
    """The type of a field of draws, of a likelihood's x: "int32" for whole numbers."""

    spacing: float | None = None
    """What entries are multiples of, counted from the least: 1 of counts; None for any number."""

    discrete = False
    """Whether draws have probabilities, as bits and counts do, and no density."""

    has_density = True
    """Whether draws have a density or probabilities: all but a point's."""

    space = REALS
    """What draws are, in words; the prior of z has to be over the same."""

    fits_batches = False
    """Whether training fits a parameter to a batch in closed form; see `in_training`."""

    correlated = False
    """Whether the entries of a draw may depend on each other, given the features."""

    def __init__(self, event_shape: Sequence[int], **kwargs: Any):
        for name in ("parameters", "distribution"):
            if getattr(type(self), name) is getattr(Head, name):
                raise UserError(f"{type(self).__name__} is a Head without {name}(); define it.")
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        self.supports_masking = True  # features may come with a mask, which says nothing here
        scalar = isinstance(event_shape, list | tuple) and not event_shape
        self.event_shape = () if scalar else positive_ints("event_shape", event_shape)

    def build(self, features_shape: Sequence[int | None]) -> None:
        """Makes weights; layers that the constructor made are built by the model's first call."""

    def parameters(self, features: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns the distribution's parameters, float32 tensors with one leading batch axis."""
        raise NotImplementedError

    def distribution(self, **parameters: tf.Tensor) -> tfd.Distribution:
        """Returns the distribution with these parameters, which may have any leading axes."""
        raise NotImplementedError

    @property
    def field(self) -> Field:
        """What one draw holds: of a likelihood, what x may."""
        return Field(self.event_shape, self.event_dtype, self.interval, spacing=self.spacing)

    def adapt(self, mean: Any) -> None:
        """Starts at the mean of the training data, where a head knows how."""

    def in_training(self, distribution: tfd.Distribution, share: Any = 1.0) -> tfd.Distribution:
        """Returns what a step of training evaluates in a distribution's place: itself, mostly.

        Where a parameter is fitted to the batch in closed form, it is fitted here, and followed for
        all other uses.

        Args:
            distribution: Of this head, for the rows of a batch that this replica has.
            share: These rows' share of the batch.
        """
        return distribution

    @property
    def mask_shape(self) -> tuple[int, ...]:
        """The shape of a mask of entries that are independent given the features: x's, mostly."""
        return self.event_shape

    def log_prob_of(
        self, distribution: tfd.Distribution, x: tf.Tensor, counted: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Returns log p of x, or of the entries of x that count; see `counted_log_prob`.

        Args:
            distribution: Of this head, batch shape `[..., B]`.
            x: `[..., B, *event_shape]`.
            counted: 1 for what counts and 0 for the rest, `[..., B, *mask_shape]`; None for all.

        Raises:
            UserError: for a part, of a head whose entries depend on each other.
        """
        if counted is None:
            return distribution.log_prob(x)
        try:
            return counted_log_prob(distribution, x, counted)
        except UserError as error:
            raise UserError(f"{type(self).__name__}: {error}") from None

    def draw(self, distribution: tfd.Distribution, noise: Noise) -> Draw:
        """Draws from a distribution of this head, with log q, in one pass.

        Args:
            distribution: batch shape `[B]`.
            noise: of leading shape `[S, B]`.

        Returns:
            z `[S, B, *event_shape]` and log q(z) `[S, B]`.
        """
        return draw(distribution, noise)

    def draw_held(
        self, distribution: tfd.Distribution, noise: Noise
    ) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
        """Draws from q, with log q at these draws, q's parameters held constant in gradients.

        A head that knows log q of what it drew without evaluating it says so here.

        Args:
            distribution: q, batch shape `[B]`.
            noise: of leading shape `[S, B]`.

        Returns:
            z `[S, B, *event_shape]`, and a function of z, whose values are these, to log q(z)
            `[S, B]`.
        """
        return self.draw(distribution, noise).z, self.frozen(distribution).log_prob

    def draw_strata(self, distribution: tfd.Distribution, noise: Noise) -> tuple[Draw, tf.Tensor]:
        """Draws from each of K parts of q = sum_k pi_k q_k, as differentiable functions of noise.

        A head with `strata` above 1 gives it: which part a draw of q comes from is no
        differentiable choice, and the share of a part is. So E_q[f] = sum_k pi_k E_{q_k}[f].

        Args:
            distribution: batch shape `[B]`.
            noise: of leading shape `[S, B]`.

        Returns:
            z `[K S, B, *event_shape]` with log q(z) `[K S, B]`, and log(K pi_k) `[K S, B]`: what
            each counts for, one on average.
        """
        raise NotImplementedError

    def code(self, distribution: tfd.Distribution) -> tf.Tensor:
        """Returns a point estimate of a draw, `[B, *event_shape]`.

        The mean, in closed form or else of draws from fixed noise; see
        `tfvae.distributions.moments`. A head whose draws are no numbers to average says otherwise.
        """
        return self.moments(distribution).mean

    def moments(self, distribution: tfd.Distribution) -> Moments:
        """Returns mean and standard deviation, from draws where there is no closed form."""
        return moments(distribution, self.draw)

    def embedded(self, z: tf.Tensor) -> tf.Tensor:
        """Returns what a decoder sees of draws `[..., *event_shape]`: the draws themselves.

        A relaxation, whose density is that of a logarithm, shows the decoder what it stands for.
        """
        return z

    def outputs(self, parameters: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Returns what a served file does: the parameters, and what follows from them."""
        return dict(parameters)

    def from_outputs(self, outputs: Mapping[str, tf.Tensor]) -> tfd.Distribution:
        """Returns the distribution that a served file's `outputs` describe."""
        names = inspect.signature(self.distribution).parameters
        return self.distribution(**{name: outputs[name] for name in names if name in outputs})

    def frozen(self, distribution: tfd.Distribution) -> tfd.Distribution:
        """Returns a distribution of this head, its parameters held constant in gradients."""
        # What a gradient would go on flowing into: other distributions, and variables.
        live = (tfd.Distribution, tfp.bijectors.Bijector, tf.Module, keras.Variable)
        if any(
            isinstance(value, (*live, list, tuple, dict))
            for value in distribution.parameters.values()
        ):
            raise UserError(
                "Holding a posterior's parameters constant works for a distribution of plain "
                f"tensors; {type(self).__name__} makes {distribution}. Define its frozen(), or "
                'use gradient="pathwise".'
            )
        constant = {
            name: tf.stop_gradient(value)
            for name, value in distribution.parameters.items()
            if tf.is_tensor(value) and value.dtype.is_floating
        }
        return distribution.copy(**constant)

    def call(self, features: tf.Tensor) -> tfd.Distribution:
        """Returns the distribution that the features describe.

        Raises:
            UserError: if `parameters` or `distribution` returns what it may not.
        """
        return checked_distribution(self, self.parameters(features), features.shape[:1])

    def compute_output_shape(self, features_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """Returns the shape of one draw for each row of features."""
        return (features_shape[0], *self.event_shape)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "event_shape": list(self.event_shape)}


class LatentHead(Head):
    """A head of q(z|x) over a vector z: says `latent_size` where others say `event_shape`.

    A served file returns the mean and the standard deviation beside the parameters.

    Args:
        latent_size: D, the number of latent dimensions, at least 1.
        **kwargs: Keras layer arguments.

    Raises:
        UserError: if `latent_size` is not a positive integer.
    """

    def __init__(self, latent_size: int, **kwargs: Any):
        super().__init__(
            (positive_int("latent_size", latent_size, maximum=LARGEST_SIZE),), **kwargs
        )

    @property
    def latent_size(self) -> int:
        """D."""
        return self.event_shape[0]

    def outputs(self, parameters: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Returns the parameters, `mean` and `stddev`, both `[N, D]`."""
        found = self.moments(self.distribution(**parameters))
        return {**parameters, "mean": found.mean, "stddev": found.stddev}

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        config = super().get_config()
        config["latent_size"] = config.pop("event_shape")[0]
        return config
