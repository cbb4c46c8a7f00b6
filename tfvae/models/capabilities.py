"""What a model can do: what evaluation, pictures, export and serving ask for, and nothing else.

A model can do what it has the methods for; no class has to be named. z is a tensor or a nest of
tensors (levels), a batch maps the names of fields to tensors `[B, ...]`, and conditions are the
part of a batch that the model is given and does not generate.
"""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import tensorflow as tf

from tfvae.errors import UserError
from tfvae.inference.inference import Inference
from tfvae.noise import Noise

Batch = Mapping[str, tf.Tensor]


@runtime_checkable
class Scores(Protocol):
    """Proposes z for a batch and evaluates log p(x, z): likelihoods can be estimated."""

    def infer(self, batch: Batch, training: bool = False) -> Inference:
        """Returns q(z|x) and p(x, z) of a batch."""


@runtime_checkable
class ScoresExactly(Protocol):
    """Knows log p(x): it has no latent variables to sum over, and its likelihood is no bound."""

    def log_prob(self, batch: Batch) -> tf.Tensor:
        """Returns log p(x) of each example, `[B]`."""


@runtime_checkable
class ScoresLevels(ScoresExactly, Protocol):
    """Knows log p(x) in its parts, where x are codes of several levels."""

    def log_prob_by_level(self, batch: Batch) -> dict[str, tf.Tensor]:
        """Returns log p of each level's codes given those above, `[B]`, by level, the top first."""


@runtime_checkable
class ScoresCodes(Protocol):
    """Knows log p(x, z) at the code z of x, in its parts: one term of the sum that p(x) is."""

    def joint_nats(self, batch: Batch) -> dict[str, tf.Tensor]:
        """Returns `nll` -log p(x|z) and `code_nll` -log p(z) of each example, `[B]`.

        Of codes of several levels also `code_nll_z2`, `code_nll_z1`, which add up to `code_nll`.
        """


@runtime_checkable
class Encodes(Protocol):
    """Finds codes: a point estimate of z, and what a served file returns of q(z|x)."""

    def encode(self, batch: Batch) -> Any:
        """Returns the codes of a batch, `[B, ...]`: not random."""

    def encoder_outputs(self, batch: Batch) -> dict[str, tf.Tensor]:
        """Returns the posterior's parameters and what follows from them, `[B, ...]` each."""


@runtime_checkable
class Decodes(Protocol):
    """Makes x of codes."""

    def decode(self, z: Any, conditions: Batch) -> tf.Tensor:
        """Returns E[x|z], with the leading axes of z."""

    def decoder_outputs(self, z: Any, conditions: Batch) -> dict[str, tf.Tensor]:
        """Returns the likelihood's parameters and what follows from them, `[B, ...]` each."""


@runtime_checkable
class Generates(Protocol):
    """Draws codes that `decode` makes x of."""

    def generate(self, noise: Noise, conditions: Batch) -> Any:
        """Returns z `[*leading, ...]` from p(z), or p(z|c), a function of the noise alone."""


@runtime_checkable
class Quantiles(Protocol):
    """Lays codes out by the prior's mass: grids of what a model makes."""

    def prior_quantiles(self, probabilities: tf.Tensor, conditions: Batch) -> tf.Tensor:
        """Returns z `[..., D]` with P(z'_d <= z_d) as given, of independent coordinates."""


@runtime_checkable
class Emits(Protocol):
    """Draws x from p(x|z), where `Decodes` returns its mean: a stage draws the codes before it."""

    def emit(self, noise: Noise, z: Any, conditions: Batch) -> tf.Tensor:
        """Returns x ~ p(x|z) with the leading axes of z and of the noise."""


@runtime_checkable
class Continues(Protocol):
    """Draws the lower levels of a code given the upper ones: what each level holds shows."""

    def continued(self, z: Any, noise: Noise) -> Any:
        """Returns a code whose upper levels are those given by name, the others from the prior."""


@runtime_checkable
class LaysOutCodes(Protocol):
    """Has codes of several levels in one row of numbers, and says which are whose."""

    def maps(self, z: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns codes `[..., P]` by level, from the top down, `[..., H, W]` each."""


@runtime_checkable
class Rebuilds(Protocol):
    """Makes its distributions of what served files return: what a quantised file costs is known."""

    def rebuilt(self, batch: Batch, encoded: dict[str, tf.Tensor]) -> Inference:
        """Returns the inference of a batch, its posterior made of `encoder_outputs`."""

    def log_likelihood_of(self, batch: Batch, decoded: dict[str, tf.Tensor]) -> tf.Tensor:
        """Returns log p(x|z) `[B]`, the likelihood made of `decoder_outputs`."""


@runtime_checkable
class EncodesInTwo(Protocol):
    """Splits its encoder into a network, which may compute in 8 bits, and what may not."""

    def features(self, batch: Batch) -> tf.Tensor:
        """Returns the network's features of a batch, `[B, ...]`."""

    def outputs_of(self, features: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns `encoder_outputs` from features."""


@runtime_checkable
class Classifies(Protocol):
    """Knows how likely each class of its label is."""

    @property
    def label_name(self) -> str:
        """The field of the label."""

    def class_probabilities(self, batch: Batch) -> tf.Tensor:
        """Returns the probability of each class given x alone, `[B, K]`."""


# In words, for messages.
_MEANS: dict[Any, str] = {
    Scores: "estimate likelihoods, by infer()",
    ScoresExactly: "evaluate log p(x), by log_prob()",
    ScoresCodes: "evaluate log p(x, z) at codes z, by joint_nats()",
    Encodes: "encode, by encode() and encoder_outputs()",
    Decodes: "decode, by decode() and decoder_outputs()",
    Generates: "generate, by generate()",
    Quantiles: "lay codes out, by prior_quantiles()",
    Emits: "draw x from p(x|z), by emit()",
    Continues: "draw lower levels given upper ones, by continued()",
    LaysOutCodes: "lay codes out by level, by maps()",
    Rebuilds: "rebuild its distributions, by rebuilt() and log_likelihood_of()",
    Classifies: "classify, by class_probabilities() and label_name",
    EncodesInTwo: "encode in two parts, by features() and outputs_of()",
}


def can(model: Any, *capabilities: type) -> bool:
    """Returns whether a model can do all of this.

    `isinstance` says the same, and tells a type checker that the model can do nothing else: this is
    for where more is asked of it.
    """
    return all(isinstance(model, capability) for capability in capabilities)


def lack(model: Any, what: str, *capabilities: type) -> str | None:
    """Returns what a model lacks for something, in words; None if it can do all of this.

    A model that knows what to do about it has it in `remedies`, by the capability's name.

    Args:
        model: a model.
        what: what was asked for, such as "latent_scatter".
        *capabilities: of this module.
    """
    for capability in capabilities:
        if not isinstance(model, capability):
            remedy = getattr(model, "remedies", {}).get(capability.__name__)
            return (
                f"{what} needs a model that {capability.__name__.lower()}: one that can "
                f"{_MEANS[capability]}. {type(model).__name__} can't.{f' {remedy}' * bool(remedy)}"
            )
    return None


def require(model: Any, what: str, *capabilities: type) -> None:
    """Raises `UserError` unless the model can do all of this; the arguments are `lack`'s."""
    lacking = lack(model, what, *capabilities)
    if lacking is not None:
        raise UserError(lacking)
