"""The seam between the model and its prior."""

import inspect
import random
from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfvae.checks import LARGEST_SIZE, int32, positive_int
from tfvae.distributions.draws import draw
from tfvae.distributions.quantiles import coordinate_quantiles
from tfvae.errors import UserError, UserTypeError
from tfvae.heads.base import REALS
from tfvae.noise import Noise

tfd = tfp.distributions

# What a model can hand a prior: the conditions c of p(z|c), by the names of their fields, and q for
# pseudo-inputs (VampPrior).
OFFERED = ("condition", "encoder")


class Prior(keras.layers.Layer):
    """p(z): a TFP distribution, rebuilt from this layer's weights on every call.

    A subclass gives `distribution()`, and weights in `build` if it learns. It may ask for what a
    model can hand it by the names of its arguments: `distribution(self, condition)` is p(z|c),
    `distribution(self, encoder)` may look at q(z|.) (VampPrior).

    Weights belong to the layer, because Keras does not see variables inside TFP objects.

    Args:
        latent_size: D, at least 1.
        **kwargs: Keras layer arguments. The dtype defaults to float32 whatever the global policy.

    Raises:
        UserError: if `latent_size` is not a positive integer, or a subclass lacks `distribution`
            or asks it for what no model has.
    """

    space = REALS
    """What z is, in words: the posterior's has to be the same."""

    def __init__(self, latent_size: int, **kwargs: Any):
        if type(self).distribution is Prior.distribution:
            raise UserError(f"{type(self).__name__} is a Prior without distribution(); define it.")
        unknown = set(self.needs) - set(OFFERED)
        if unknown:
            raise UserError(
                f"{type(self).__name__}.distribution() takes {', '.join(sorted(unknown))}; "
                f"expected some of {', '.join(OFFERED)}, which is what a model hands its prior."
            )
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        self.latent_size = positive_int("latent_size", latent_size, maximum=LARGEST_SIZE)

    @property
    def needs(self) -> tuple[str, ...]:
        """The names of what `distribution` takes."""
        return tuple(inspect.signature(self.distribution).parameters)

    def build(self, input_shape: Any = None) -> None:
        """Creates the weights, of which there are none unless a subclass says so."""

    def distribution(self, **given: Any) -> tfd.Distribution:
        """Returns p(z), event shape `[D]`, batch shape `[]` or, given a condition, `[B]`."""
        raise NotImplementedError

    def call(self, inputs: Any = None) -> tfd.Distribution:
        """Returns p(z) of a prior that needs nothing.

        Raises:
            UserError: if it needs what only a model has.
        """
        if self.needs:
            raise UserError(
                f"{type(self).__name__}'s distribution depends on {' and '.join(self.needs)}: ask "
                "the model, which has that, for its prior_distribution()."
            )
        if not self.built:
            self.build()
        return self.checked_distribution()

    def checked_distribution(self, **given: Any) -> tfd.Distribution:
        """Returns `distribution(**given)`, over vectors of `latent_size`.

        Raises:
            UserError: says what was returned in its place.
        """
        found, kind = self.distribution(**given), type(self).__name__
        if not isinstance(found, tfd.Distribution):
            raise UserTypeError(
                f"{kind}.distribution() returned a {type(found).__name__}; expected a distribution "
                "of tensorflow_probability, such as tfd.MultivariateNormalDiag(loc, scale)."
            )
        batch, event = found.batch_shape, found.event_shape
        of_rows = bool(given) and (batch.rank is None or batch.rank < 2)
        if not (of_rows or batch.rank == 0) or not event.is_compatible_with((self.latent_size,)):
            raise UserError(
                f"{kind}.distribution() returned a {type(found).__name__} of batch shape {batch} "
                f"and event shape {event}; expected () and ({self.latent_size},), one distribution "
                "over vectors. tfd.Independent(distribution, 1) makes one of entries."
            )
        return found

    def check_space(self, posterior: str, space: str) -> None:
        """Refuses a posterior over something else: the densities of z have no common measure."""
        if space != self.space:
            raise UserError(
                f"{posterior} is over {space}, and the prior {type(self).__name__} over "
                f"{self.space}: there is no KL between them. Give the model a prior over {space}; "
                "each discrete or relaxed posterior has one of its name, with as many categories."
            )

    def generate(self, noise: Noise, **given: Any) -> tf.Tensor:
        """Draws z from p(z), a function of the noise: the same on every device.

        A subclass whose distribution `tfvae.distributions.draws.draw` leaves to TFP's own sampler
        gives it from operations that TFLite has, or can't be exported with its sampler.

        Args:
            noise: of leading shape `[*leading]`; its temperature is a factor on each scale.
            **given: what `distribution` takes.

        Returns:
            `z [*leading, D]`.

        Raises:
            NoTemperatureError: for a temperature other than 1, of a distribution without a scale.
        """
        return draw(self.distribution(**given), noise).z

    def quantiles(self, probabilities: tf.Tensor, **given: Any) -> tf.Tensor:
        """Returns z with P(z'_d <= z_d) = probabilities_d, where coordinates are independent.

        Args:
            probabilities: `[..., D]`, in (0, 1).
            **given: what `distribution` takes.

        Returns:
            z `[..., D]`.

        Raises:
            UserError: for coordinates that depend on each other, or have no quantile function.
        """
        try:
            return coordinate_quantiles(self.distribution(**given), probabilities)
        except NotImplementedError as error:
            raise UserError(
                f"{type(self).__name__} has no quantiles of its coordinates: that takes "
                "independent ones, such as StandardNormal's. Define its quantiles()."
            ) from error

    def checked_codes(self, noise: Noise, **given: Any) -> tf.Tensor:
        """Returns `generate(noise, **given)`, vectors of `latent_size`.

        Raises:
            UserError: if nobody knows how to draw from the distribution, or for other shapes.
        """
        kind = type(self).__name__
        try:
            z = self.generate(noise, **given)
        except NotImplementedError as error:
            raise UserError(
                f"{kind} has a distribution that nobody knows how to draw from ({error}). Define "
                "its generate(noise)."
            ) from error
        if not tf.is_tensor(z) or z.shape.rank == 1 or z.shape[-1] != self.latent_size:
            raise UserError(
                f"{kind}.generate() returned {getattr(z, 'shape', type(z).__name__)}; expected a "
                f"tensor of shape [*leading, {self.latent_size}], one z for each row of the noise."
            )
        return z

    def sample(self, num_samples: int = 1, seed: int | None = None, **given: Any) -> tf.Tensor:
        """Draws z from p(z).

        Args:
            num_samples: How many, at least 1.
            seed: Any int32: the codes that `vae.sample` decodes with it. None (default) differs
                each time, and follows `keras.utils.set_random_seed`.
            **given: What `distribution` takes.

        Returns:
            z `[num_samples, D]`.

        Raises:
            UserError: for other counts and seeds, and unless `given` is what `distribution` takes.
        """
        if set(given) != set(self.needs):
            raise UserError(
                f"{type(self).__name__}.sample() received {', '.join(sorted(given)) or 'nothing'} "
                f"by name; expected {' and '.join(self.needs) or 'nothing'}, which is what its "
                "distribution() takes. A model's sample() gives its prior what it needs."
            )
        if not self.built:
            self.build()
        num_samples = positive_int("num_samples", num_samples)
        seed = random.randint(1, 10**9) if seed is None else int32("seed", seed)
        return self.checked_codes(Noise(seed, row=tf.range(num_samples)), **given)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "latent_size": self.latent_size}
