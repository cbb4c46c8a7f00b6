"""A trained model and a prior that was found for its codes afterwards."""

from typing import Any

import keras
import tensorflow as tf

from tfvae.checks import instance_of
from tfvae.data.fields import Field
from tfvae.errors import UserError
from tfvae.models.base import LatentVariableModel
from tfvae.models.capabilities import Batch, Decodes, Encodes, require
from tfvae.models.codes import vector_size
from tfvae.models.configuration import serialize_part
from tfvae.noise import Noise
from tfvae.objectives.base import Nats
from tfvae.priors import Prior


@keras.saving.register_keras_serializable("tfvae")
class ModelWithPrior(LatentVariableModel):
    """z ~ p'(z),  x = E[x|z]: a model whose samples come from another prior; `model.with_prior`.

    It encodes, decodes and is exported as the model does, and generates from the prior that it is
    given, such as one of `tfvae.uses.fit_aggregate`. It does not score: the model does, under its
    own prior.

    Args:
        model: Trained; it encodes, to one vector, and decodes.
        prior: p'(z), over as many numbers; it needs nothing of a model.
        **kwargs: Keras model arguments.

    Raises:
        UserTypeError: if the prior is none.
        UserError: if the model can't do its part, the sizes differ, or the prior needs what only
            the model that it was trained with has.

    Example:
        >>> import tfvae
        >>> model = tfvae.presets.model("digits", latent_size=2, units=(8,))
        >>> model.with_prior(tfvae.priors.MixtureOfGaussians(2, 3)).sample(4, seed=1).shape.rank
        4

    References:
        P. Ghosh et al., 2020, "From Variational to Deterministic Autoencoders", arXiv:1903.12436,
        section 4 ("ex-post density estimation").
    """

    def __init__(self, model: LatentVariableModel, prior: Prior, **kwargs: Any):
        require(model, "a model that is given a prior", Encodes, Decodes)
        instance_of("prior", prior, Prior, "see tfvae.priors")
        if prior.needs:
            raise UserError(
                f"{type(prior).__name__}'s distribution depends on {' and '.join(prior.needs)}. "
                "Use a prior that needs nothing of a model, such as that of "
                "tfvae.uses.fit_aggregate(model, data)."
            )
        super().__init__(tuple(model.trackers), **kwargs)
        self.model, self.prior = model, prior
        self.build(None)

    def build(self, input_shape: Any) -> None:
        """Builds the model, for the examples that it declares, and the prior."""
        if not self.model.built:
            self.model.build(self.model.input_shapes())
        if not self.prior.built:
            self.prior.build()
        size = vector_size(self.model)
        if size != self.prior.latent_size:
            codes = "no vectors of real numbers" if size is None else f"vectors of {size} numbers"
            raise UserError(
                f"The codes of {type(self.model).__name__} are {codes}, and the prior is over "
                f"{self.prior.latent_size}. Give it a prior of its latent_size."
            )
        self.built = True

    @property
    def latent_size(self) -> int:
        """D, the size of the codes."""
        return self.prior.latent_size

    def fields(self) -> dict[str, Field]:
        """Returns the fields of the model."""
        return self.model.fields()

    def conditions(self) -> dict[str, Field]:
        """Returns the conditions of the model, which only its decoder sees."""
        return self.model.conditions()

    def loss_terms(self, batch: Batch, training: bool) -> Nats:
        """Raises `UserError`: the model has been trained."""
        raise UserError(
            f"A ModelWithPrior is not trained: fit the {type(self.model).__name__} that it holds, "
            "and then the prior to its codes, by tfvae.uses.fit_aggregate(model, data)."
        )

    def encoding_layers(self) -> list[keras.layers.Layer]:
        """Returns those of the model."""
        return self.model.encoding_layers()

    def encode(self, batch: Batch) -> tf.Tensor:
        """Returns the model's codes."""
        return self.model.encode(batch)

    def encoder_outputs(self, batch: Batch) -> dict[str, tf.Tensor]:
        """Returns what the model's encoder does."""
        return self.model.encoder_outputs(batch)

    def decode(self, z: tf.Tensor, conditions: Batch) -> tf.Tensor:
        """Returns the model's E[x|z]."""
        return self.model.decode(z, conditions)

    def decoder_outputs(self, z: tf.Tensor, conditions: Batch) -> dict[str, tf.Tensor]:
        """Returns what the model's decoder does."""
        return self.model.decoder_outputs(z, conditions)

    def generate(self, noise: Noise, conditions: Batch) -> tf.Tensor:
        """Returns codes from the prior, `[*leading, D]`."""
        return self.prior.checked_codes(noise)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        model = serialize_part(self.model, owner_built=True)
        model.pop("compile_config", None)  # an optimizer is of no use here
        return {**super().get_config(), "model": model, "prior": serialize_part(self.prior, True)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "ModelWithPrior":
        """Creates one from `get_config`."""
        read = keras.saving.deserialize_keras_object
        parts = {name: read(config[name], custom_objects) for name in ("model", "prior")}
        return cls(**{**config, **parts})
