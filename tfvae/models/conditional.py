"""The conditional variational autoencoder."""

from collections.abc import Mapping
from typing import Any, Literal

import keras
import tensorflow as tf

from tfvae.checks import instance_of
from tfvae.corruptions import Corruption
from tfvae.data.fields import Field
from tfvae.errors import UserError
from tfvae.models.autoencoding import NOTHING
from tfvae.models.capabilities import Batch
from tfvae.models.conditions import as_numbers, checked_condition_fields, with_condition_fields
from tfvae.models.encoder_decoder import Decoder, Encoder
from tfvae.models.vae import VAE
from tfvae.objectives import Objective
from tfvae.priors import Prior

EMBEDDED = "condition"


@keras.saving.register_keras_serializable("tfvae")
class ConditionalVAE(VAE):
    """p(x, z|c) = p(z|c) p(x|z, c), trained with q(z|x, c) on a bound of log p(x|c).

    c is what the model is given and does not generate: a label, a vector, an image, or several of
    these, each a field of its own. Choose it over `VAE` to say what is drawn:
    `model.sample(10, label=range(10))`. `fit`, `evaluate`, `encode` and `log_likelihood` take
    dicts, `{"x": images, "label": labels}`.

        log p(x|c) >= E_{q(z|x, c)}[log p(x|z, c)] - KL(q(z|x, c) || p(z|c))

    The networks of the encoder and the decoder take a dict: x or z, and c. `networks.MLP` and
    `networks.Conv` do; `networks.SideBySide` in front of other layers makes them.

    Args:
        encoder: q(z|x, c), `Encoder(network, head)`.
        decoder: p(x|z, c), `Decoder(network, head)`.
        conditions: What c is, by the names of its fields: `{"label": Field.label(10)}`.
        counted: Name of a further field, 1 or 0 of x's shape, or None (default). What is 0 of x is
            no part of the likelihood, as it is given: the quadrant of an image that is seen. Of
            `conditions` the field of this name is none.
        embedding: A Keras layer or model on c, whose output encoder, decoder and prior see in its
            place; of several conditions it takes a dict. None (default) shows them c itself:
            labels one-hot, numbers as they are.
        prior: p(z|c), such as `ConditionalNormal`, or p(z), default `StandardNormal`.
        objective: Default `ELBO()`; `Hybrid` trains draws from the prior too.
        weight_scale: See `VAE`.
        weight_posterior: See `VAE`.
        corruption: See `VAE`.
        seed: See `VAE`.
        **kwargs: Keras model arguments.

    Shapes: `{"x": [B, *event], "label": [B], ...}` -> reconstruction `[B, *event]`.

    Raises:
        UserTypeError: if a part is of the wrong kind.
        UserError: as of `VAE`; and without a condition, for one that is optional or has the name
            of another input.

    Example:
        >>> import numpy as np
        >>> from tfvae import heads, networks
        >>> model = ConditionalVAE(
        ...     Encoder(networks.MLP([16]), heads.MultivariateNormalDiag(2)),
        ...     Decoder(networks.MLP([16]), heads.IndependentBernoulli((8, 8, 1))),
        ...     conditions={"label": Field.label(10)},
        ... )
        >>> model.compile("adam")
        >>> x, label = np.zeros((32, 8, 8, 1), "float32"), np.arange(32) % 10
        >>> history = model.fit({"x": x, "label": label}, verbose=0)
        >>> model.sample(10, seed=1, label=range(10)).shape.as_list()
        [10, 8, 8, 1]

    References:
        K. Sohn, H. Lee and X. Yan, 2015, "Learning Structured Output Representation using Deep
        Conditional Generative Models", NeurIPS 28, eq. 4. Departure: their decoder sees a first
        guess of x by a plain network besides; here it sees c.
    """

    parts = (*VAE.parts, "embedding")

    def __init__(
        self,
        encoder: Encoder,
        decoder: Decoder,
        conditions: Mapping[str, Field],
        counted: str | None = None,
        embedding: keras.layers.Layer | None = None,
        prior: Prior | None = None,
        objective: Objective | None = None,
        weight_scale: float | None = None,
        weight_posterior: Literal["mode", "mean_field"] = "mode",
        corruption: Corruption | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        if counted is not None and isinstance(conditions, Mapping):
            conditions = {name: field for name, field in conditions.items() if name != counted}
        found = checked_condition_fields(conditions, ("x", "z", EMBEDDED))
        if counted in ("x", "z", *found) or not isinstance(counted, str | None):
            raise UserError(f"counted is {counted!r}; expected the name of a field of its own.")
        if embedding is not None:
            hint = "networks.MLP([32]), any Keras layer or model, or None"
            instance_of("embedding", embedding, keras.layers.Layer, hint)
        super().__init__(
            encoder,
            decoder,
            prior=prior,
            objective=objective,
            weight_scale=weight_scale,
            weight_posterior=weight_posterior,
            corruption=corruption,
            seed=seed,
            **kwargs,
        )
        self.embedding, self.condition_fields = embedding, found
        self.counted_field = counted

    def conditions(self) -> dict[str, Field]:
        """Returns what c is, by name."""
        return dict(self.condition_fields)

    def fields(self) -> dict[str, Field]:
        """Returns x and the conditions."""
        # The base's constructor asks before there are any, for x alone.
        found = {**super().fields(), **getattr(self, "condition_fields", {})}
        if getattr(self, "counted_field", None) is not None:
            found[self.counted_field] = Field.mask(self.decoder.head.mask_shape)
        return found

    def counted(self, batch: Batch) -> tf.Tensor | None:
        """Returns what of x is no part of c, if there is a field that says so."""
        return None if self.counted_field is None else batch[self.counted_field]

    def shown(self, conditions: Batch) -> dict[str, tf.Tensor]:
        """Returns what the networks and the prior see of conditions: numbers, or the embedding."""
        fields = self.condition_fields
        numbers = {name: as_numbers(c, fields[name]) for name, c in conditions.items()}
        if self.embedding is None:
            return numbers
        inputs = numbers if len(fields) > 1 else next(iter(numbers.values()))
        return {EMBEDDED: tf.cast(self.embedding(inputs), tf.float32)}

    def encoder_inputs(self, batch: Batch) -> dict[str, tf.Tensor]:
        """Returns x and c."""
        return {"x": batch["x"], **self.shown(self.given(batch))}

    def decoder_inputs(self, z: tf.Tensor, conditions: Batch = NOTHING) -> dict[str, tf.Tensor]:
        """Returns z, as its head shows it, and c."""
        if missing := [name for name in self.condition_fields if name not in conditions]:
            raise UserError(
                f"{type(self).__name__} decodes z given {', '.join(self.condition_fields)}, and "
                f"{', '.join(missing)} is missing: decode(z, {{{missing[0]!r}: ...}})."
            )
        return {"z": self.encoder.head.embedded(z), **self.shown(conditions)}

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        fields = {name: field.get_config() for name, field in self.condition_fields.items()}
        return {**super().get_config(), "conditions": fields, "counted": self.counted_field}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "ConditionalVAE":
        """Creates one from `get_config`."""
        made = super().from_config(with_condition_fields(config), custom_objects)
        assert isinstance(made, cls)
        return made
