"""The seam between draws and the loss."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import keras
import tensorflow as tf

from tfvae.errors import UserError
from tfvae.heads.base import Head
from tfvae.inference.inference import Inference
from tfvae.inference.proposal import Proposal


@dataclass(frozen=True)
class Nats:
    """What an objective makes of a batch.

    Attributes:
        terms: Name -> nats, `[B]` or a scalar of the batch. Their weighted sum is the loss.
        reconstruction: `[B, ...]`, the likelihood's mean at the first draw of z.
        watched: Name -> nats that are logged and not minimised.
        surrogates: Name of a term -> what is differentiated in its place, where the gradient's
            estimator is not the gradient of the estimate (a score function). The loss keeps the
            term's value.
        counts: Name -> what each row counts for in the mean that is logged, `[B]`, where it is
            not 1: of what is known of some rows alone.
        tallies: Name -> how often each of K codes was used in the batch, `[K]`: what is logged is
            the perplexity of all that an epoch used.
        of_prior: Names of the terms whose draws are not q's: the score of q is none of theirs.
        row_weights: Name of a term -> what each row counts for in the loss, `[B]`, where it is not
            1: of batches that show some rows more often than the data have them.
    """

    terms: Mapping[str, tf.Tensor]
    reconstruction: Any
    watched: Mapping[str, tf.Tensor] = field(default_factory=dict)
    surrogates: Mapping[str, tf.Tensor] = field(default_factory=dict)
    counts: Mapping[str, tf.Tensor] = field(default_factory=dict)
    tallies: Mapping[str, tf.Tensor] = field(default_factory=dict)
    of_prior: frozenset[str] = frozenset()
    row_weights: Mapping[str, tf.Tensor] = field(default_factory=dict)

    def mean(self, name: str, value: tf.Tensor) -> tf.Tensor:
        """Returns the mean over the rows, each by its weight, of a term or of its surrogate."""
        return tf.reduce_mean(self.row_weights[name] * value if name in self.row_weights else value)


class TermWeights:
    """A Keras layer or model that owns the factors of terms in the loss.

    These and what else callbacks may change over time are its adjustable variables.
    """

    _factors: Mapping[str, keras.Variable] = MappingProxyType({})
    _adjustable: Mapping[str, keras.Variable] = MappingProxyType({})

    @property
    def term_weights(self) -> Mapping[str, keras.Variable]:
        """Term -> its factor, a variable; the others have 1."""
        return self._factors

    @property
    def adjustable(self) -> Mapping[str, keras.Variable]:
        """Name -> variable that callbacks may change, such as `kl_weight`."""
        return self._adjustable

    def add_adjustable(self, name: str, value: float) -> keras.Variable:
        """Returns a new variable, not trained, that callbacks may change."""
        variable = self.add_weight(  # type: ignore[attr-defined]  # of the Keras layer beside it
            shape=(),
            initializer=keras.initializers.Constant(value),
            trainable=False,
            name=name,
            dtype="float32",
        )
        self._adjustable = {**self._adjustable, name: variable}
        return variable

    def add_term_weight(self, term: str, value: float) -> None:
        """Gives a term a factor in the loss, which callbacks may change; others have 1."""
        weight = self.add_adjustable(f"{term}_weight", value)
        self._factors = {**self._factors, term: weight}

    def weight(self, term: str) -> tf.Tensor | float:
        """Returns the factor of a term in the loss."""
        if term in self.term_weights:
            return tf.convert_to_tensor(self.term_weights[term])
        return 1.0


def check_slope(posterior: Head | Proposal, what: str, name: str = "this posterior") -> None:
    """Refuses a posterior whose density has jumps, which a gradient along z does not see.

    Args:
        posterior: q.
        what: follows log q along z, such as "ImportanceWeighted".
        name: of the posterior, for the message.

    Raises:
        UserError: with what to do.
    """
    if not posterior.smooth:
        raise UserError(
            f"{what} follows the gradient of log q(z|x) through z, and the density of {name} "
            "jumps: what it gains or loses there would have no gradient. Use objectives.ELBO() "
            "with a prior to which the KL has a closed form, such as priors.PiecewisePrior, or "
            'gradient="score_function".'
        )


class Objective(TermWeights, keras.layers.Layer):
    """Draws of z with their densities -> named nats.

    A subclass gives `names` and `nats(inference)`. A Keras layer, because some objectives own
    variables (a term's weight, a learned baseline). It is used through `nats`, never called; it
    adds no losses and touches no optimiser.
    """

    pathwise = True
    """Whether its gradient flows through z, so that draws have to be differentiable."""

    evaluates = False
    """Whether it asks for log q(z|x) of a given z, and not only for that of what was drawn."""

    follows_density = False
    """Whether its gradient follows log q(z|x) along z, whatever has a closed form."""

    stratified = False
    """Whether it draws by `Inference.draw_strata`: then mixtures have differentiable draws, too."""

    def __init__(self, **kwargs: Any):
        for name, what in (("names", "names"), ("nats", "nats()")):
            if getattr(type(self), name) is getattr(Objective, name):
                raise UserError(f"{type(self).__name__} is an Objective without {what}; define it.")
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)

    def check_path(self, posterior: Head | Proposal, name: str) -> None:
        """Refuses a posterior without the differentiable draws, or the density, that this needs.

        Raises:
            UserError: with what to do.
        """
        kind = type(self).__name__
        strata = self.stratified and posterior.strata > 1
        if self.pathwise and not (posterior.reparameterised or strata):
            raise UserError(
                f"{kind} follows the gradient through z, and the draws of {name} have none: it "
                "would train on the KL alone. Use a head whose draws are differentiable, such as "
                "heads.RelaxedBernoulli for bits, or an objective that needs no path: "
                'objectives.ELBO(gradient="score_function").'
            )
        if self.follows_density:
            check_slope(posterior, kind, name)
        if self.evaluates and not posterior.evaluates:
            raise UserError(
                f"{kind} with this gradient evaluates log q(z|x) at a given z, and {name} has a "
                'density of its own draws alone. Use gradient="pathwise", or a head that can, such '
                "as heads.MultivariateNormalDiag or, of the flows, heads.RealNVPFlow."
            )

    def build(self, input_shape: Any = None) -> None:
        """Makes nothing: layers that an objective holds build themselves when first used."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all terms and watched values, in the order they are logged."""
        raise NotImplementedError

    def nats(self, inference: Inference) -> Nats:
        """Evaluates the objective on a batch."""
        raise NotImplementedError
