"""Models of several stages: each further one has learned the codes of the one before."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from tfvae.data.fields import Field
from tfvae.errors import UserError
from tfvae.models.base import LatentVariableModel
from tfvae.models.capabilities import (
    Batch,
    Classifies,
    Decodes,
    Emits,
    Encodes,
    Generates,
    LaysOutCodes,
    ScoresExactly,
    ScoresLevels,
    can,
    require,
)
from tfvae.models.codes import code_field, vector_size
from tfvae.models.configuration import serialize_part
from tfvae.noise import EMISSION, Noise
from tfvae.objectives.base import Nats


@keras.saving.register_keras_serializable("tfvae")
class StagedModel(LatentVariableModel):
    """p(u) p(z|u) p(x|z): the last stage generates the codes that the first one decodes.

        u ~ p(u),   z ~ p(z|u),   x = E[x|z]

    A second VAE learns the first one's aggregate posterior q(z), which the first one's prior
    misses, and takes that prior's place. z is a draw from the second decoder's distribution, as in
    the paper, and not its mean: the means alone are narrower than q(z) by that distribution's
    variance.

    Codes that are whole numbers, such as those of images that are quantised, are learned by a
    `PixelCNN` of their shape, and log p(x, z) at the code of x is known in its parts: see
    `tfvae.evaluation.joint_likelihood`.

    It encodes, decodes and generates, and does not score: p(z) is an integral over u. A stage may
    have conditions, such as a label: `sample(10, label=3)` gives them to it. Where the last stage
    classifies, so does this model, by the point estimates of the codes before.

    Its stages are trained one after the other, each by its own `fit`, or all by a run with stages
    (`tfvae train digits-two-stage`, `tfvae train digits-m1-m2`).

    Args:
        stages: Built or not: the model of the data, one of its codes, one of the codes of that...
        **kwargs: Keras model arguments.

    Raises:
        UserError: for fewer than two stages, one that can't do its part, one whose examples are
            not the codes of the stage before, or conditions of one name that differ.

    Example:
        >>> from tfvae import Decoder, Encoder, VAE, heads, networks
        >>> first = VAE(
        ...     Encoder(networks.MLP([16]), heads.MultivariateNormalDiag(2)),
        ...     Decoder(networks.MLP([16]), heads.IndependentBernoulli((8, 8, 1))),
        ... )
        >>> second = VAE(
        ...     Encoder(networks.MLP([16]), heads.MultivariateNormalDiag(2)),
        ...     Decoder(networks.MLP([16]), heads.IndependentNormal((2,), scale="learned")),
        ... )
        >>> StagedModel([first, second]).sample(4, seed=1).shape.as_list()
        [4, 8, 8, 1]

    References:
        B. Dai and D. Wipf, 2019, "Diagnosing and Enhancing VAE Models", arXiv:1903.05789,
        section 4. D. P. Kingma et al., 2014, "Semi-supervised Learning with Deep Generative
        Models", arXiv:1406.5298, section 2.3, for the label: M1 + M2.
    """

    def __init__(self, stages: Sequence[LatentVariableModel], **kwargs: Any):
        stages = list(stages)
        if len(stages) < 2:
            raise UserError(f"stages has {len(stages)} of them; expected at least 2 models.")
        for stage in stages[:-1]:
            require(stage, "a stage whose codes another one learns", Encodes, Decodes)
        for stage in stages[1:]:
            require(stage, "a stage that learns codes", Generates, Decodes, Emits)
        super().__init__(tuple(stages[0].trackers), **kwargs)
        self.stages = stages
        if isinstance(stages[-1], Classifies):
            # Of the instance: a model can do what it has the methods for.
            self.label_name = stages[-1].label_name
            self.class_probabilities = self._class_probabilities
        self.build(None)

    def build(self, input_shape: Any) -> None:
        """Builds the stages that are not built, each for the examples that it declares."""
        for stage in self.stages:
            if not stage.built:
                stage.build(stage.input_shapes())
        for below, above in zip(self.stages, self.stages[1:], strict=False):
            check_learns(above, below)
        for stage in self.stages:
            for name, field in stage.conditions().items():
                if self.fields()[name] != field:
                    raise UserError(
                        f"{stage.name} is given {name!r}, {field}, and another stage has "
                        f"{self.fields()[name]} of that name. Give one of them another name."
                    )
        if isinstance(self.stages[0], LaysOutCodes):
            self.maps = self.stages[0].maps
        whole = stage_codes(self.stages[0]).whole and "nll" in self.stages[0].trackers
        if whole and len(self.stages) == 2 and isinstance(self.stages[1], ScoresExactly):
            self.joint_nats = self._joint_nats
        self.built = True

    @property
    def latent_size(self) -> int | None:
        """D, the size of the codes that `decode` takes; None of codes that are no vector."""
        return vector_size(self.stages[0])

    @property
    def code_interval(self) -> tuple[float, float] | None:  # type: ignore[override]  # of the stage
        """From which to which whole number codes are; None of reals."""
        return getattr(self.stages[0], "code_interval", None)

    @property
    def discrete(self) -> bool:
        """Whether the first stage's p(x) is a probability."""
        return self.stages[0].discrete

    def fields(self) -> dict[str, Field]:
        """Returns the fields of the first stage, and the conditions of the others."""
        first = self.stages[0].fields()
        return {**first, **{n: f for n, f in self.conditions().items() if n not in first}}

    def conditions(self) -> dict[str, Field]:
        """Returns the conditions of all stages."""
        found: dict[str, Field] = {}
        for stage in self.stages:
            found |= stage.conditions()
        return found

    def loss_terms(self, batch: Batch, training: bool) -> Nats:
        """Raises `UserError`: the stages have been trained."""
        raise UserError(
            "A StagedModel is not trained: fit its stages one after the other, each on the codes "
            "of the one before, or train a preset with stages, such as digits-two-stage."
        )

    def encoding_layers(self) -> list[keras.layers.Layer]:
        """Returns those of the first stage."""
        return self.stages[0].encoding_layers()

    def encode(self, batch: Batch) -> tf.Tensor:
        """Returns the first stage's codes."""
        return self.stages[0].encode(_own(self.stages[0].fields(), batch))

    def encoder_outputs(self, batch: Batch) -> dict[str, tf.Tensor]:
        """Returns what the first stage's encoder does."""
        return self.stages[0].encoder_outputs(_own(self.stages[0].fields(), batch))

    def decode(self, z: tf.Tensor, conditions: Batch) -> tf.Tensor:
        """Returns the first stage's E[x|z]."""
        return self.stages[0].decode(z, _own(self.stages[0].conditions(), conditions))

    def decoder_outputs(self, z: tf.Tensor, conditions: Batch) -> dict[str, tf.Tensor]:
        """Returns what the first stage's decoder does."""
        return self.stages[0].decoder_outputs(z, _own(self.stages[0].conditions(), conditions))

    def generate(self, noise: Noise, conditions: Batch) -> tf.Tensor:
        """Returns codes of the first stage, drawn through all the others, `[*leading, ...]`."""
        last = self.stages[-1]
        z = last.generate(noise, _own(last.conditions(), conditions))
        for stage in reversed(self.stages[1:]):
            noise = noise.part(EMISSION)
            z = stage.emit(noise, z, _own(stage.conditions(), conditions))
        return z

    def _joint_nats(self, batch: Batch) -> dict[str, tf.Tensor]:
        """-log p(x|z) and -log p(z) at the first stage's code z of x, and of each level, `[B]`."""
        first, last = self.stages
        own = _own(first.fields(), batch)
        name = next(iter(last.fields()))
        codes = {name: first.encode(own), **_own(last.conditions(), batch)}
        nll = first.loss_terms(own, training=False).terms["nll"]
        found = {"nll": nll, "code_nll": -last.log_prob(codes)}
        if can(last, ScoresLevels):
            levels = last.log_prob_by_level(codes)
            found |= {f"code_nll_{name}": -log_prob for name, log_prob in levels.items()}
        return found

    def _class_probabilities(self, batch: Batch) -> tf.Tensor:
        """The last stage's probabilities given the code of x, `[B, K]`."""
        for below, above in zip(self.stages, self.stages[1:], strict=False):
            batch = {next(iter(above.fields())): below.encode(_own(below.fields(), batch))}
        return self.stages[-1].class_probabilities(batch)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        stages = [serialize_part(stage, owner_built=True) for stage in self.stages]
        for stage in stages:
            stage.pop("compile_config", None)  # an optimizer is of no use here
        return {**super().get_config(), "stages": stages}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "StagedModel":
        """Creates one from `get_config`."""
        read = keras.saving.deserialize_keras_object
        stages = [read(stage, custom_objects) for stage in config["stages"]]
        return cls(**{**config, "stages": stages})


def stage_codes(model: Any) -> Field:
    """Returns the codes of a built model, as a further stage has them for examples.

    Raises:
        UserError: if the model does not encode, or its codes are neither one vector of reals nor
            whole numbers of one shape.
    """
    require(model, "a further stage", Encodes)
    found = code_field(model)
    if found is None or not (found.whole or len(found.shape) == 1):
        raise UserError(
            f"The codes of {type(model).__name__} are neither one vector of numbers an example nor "
            "whole numbers of one shape, which is what a further stage learns."
        )
    return found


def check_learns(above: Any, below: Any) -> None:
    """Refuses a stage whose examples are not the codes of the one below.

    Raises:
        UserError: for another shape, whole numbers against reals, or codes of another number.
    """
    codes, given = stage_codes(below), above.conditions()
    declared = {n: field for n, field in above.fields().items() if n not in given}
    if [(f.shape, f.whole) for f in declared.values()] != [(codes.shape, codes.whole)]:
        fields = " and ".join(f"{n!r}, {f.values} of shape {f.shape}" for n, f in declared.items())
        kind = f"{codes.values} of shape {codes.shape}" if codes.whole else f"shape {codes.shape}"
        raise UserError(
            f"The codes of {below.name} have {kind}, and {above.name} is a model of {fields}. A "
            "further stage has one field beside its conditions, the codes of the one before."
        )
    (field,) = declared.values()
    if codes.whole and codes.interval is not None and field.interval != codes.interval:
        raise UserError(
            f"The codes of {below.name} are {codes.values}, and {above.name} is a model of "
            f"{field.values}: it is of the codes of another model. Train it on these, with as many "
            "levels as there are codes: networks.GatedPixelCNN(num_levels="
            f"{codes.interval[1] + 1})."
        )


def _own(fields: Mapping[str, Field], batch: Batch) -> dict[str, tf.Tensor]:
    """What of a batch a stage has fields for."""
    return {name: batch[name] for name in fields if name in batch}
