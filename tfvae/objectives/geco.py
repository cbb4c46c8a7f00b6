"""The least KL at which x is reconstructed as well as was asked for."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from tfvae.checks import positive_int, real
from tfvae.errors import UserError
from tfvae.inference.inference import Inference
from tfvae.objectives.base import Nats, Objective
from tfvae.objectives.divergence import checked_analytic, total_kl

# Of the multiplier: a target out of reach would let it grow until float32 overflows.
_LEAST, _MOST = 1e-6, 1e6


class Multiplier(keras.layers.Layer):
    """lambda, which grows with the moving average of a constraint, and that average.

        C_0 = c_0,   C_t = decay C_{t-1} + (1 - decay) c_t,   lambda_t = lambda_{t-1} exp(rate C_t)

    Both move in training and rest in evaluation.

    Args:
        rate: Above 0.
        decay: In [0, 1).
        **kwargs: Keras layer arguments.

    Shapes: c_t and lambda_t, scalars.

    Raises:
        UserError: if an argument is out of range.
    """

    def __init__(self, rate: float, decay: float, **kwargs: Any):
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        self.rate = real("rate", rate, above=0.0)
        self.decay = real("decay", decay, minimum=0.0)
        if self.decay >= 1.0:
            raise UserError(f"decay must be in [0, 1), received {decay}: at 1 nothing is learned.")
        self.weight = self._variable("nll_weight", "ones")
        self.average = self._variable("average", "zeros")
        self.started = self._variable("started", "zeros")

    def _variable(self, name: str, value: str) -> keras.Variable:
        return self.add_weight(
            shape=(), initializer=value, trainable=False, aggregation="mean", name=name
        )

    def call(self, constraint: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Returns lambda, in training after it has moved."""
        if training:
            kept = self.decay * tf.convert_to_tensor(self.started)
            average = kept * tf.convert_to_tensor(self.average) + (1.0 - kept) * constraint
            weight = tf.convert_to_tensor(self.weight) * tf.exp(self.rate * average)
            self.average.assign(average)
            self.started.assign(tf.ones([]))
            self.weight.assign(tf.clip_by_value(weight, _LEAST, _MOST))
        return tf.convert_to_tensor(self.weight)


@keras.saving.register_keras_serializable("tfvae")
class GECO(Objective):
    """min KL(q(z|x) || p(z)) subject to E_q[-log p(x|z)] <= target, by a Lagrange multiplier.

        loss     = lambda_t E_q[-log p(x|z)] + KL(q(z|x) || p(z))
        C_t      = decay C_{t-1} + (1 - decay) (mean nll - target)
        lambda_t = lambda_{t-1} exp(rate C_t)

    Says how well x is to be reconstructed, where `ELBO(kl_weight=...)` says what a nat of KL costs
    and `ControlledCapacity` how many there are: of all codes that reconstruct so well, the one that
    costs least. lambda rises while the target is missed and falls while it is exceeded, and comes
    to rest at the price of a nat of nll in nats of KL; 1 is the ELBO's.

    Logged, always unweighted: `nll`, `kl`, `elbo` = -nll - kl, and `nll_weight` = lambda.

    Args:
        target: Nats of nll, the mean over examples; of densities it may be negative. What the ELBO
            comes to is a place to start from.
        rate: By how much log lambda changes in a step for each nat, above 0. Default 1e-3.
        decay: Of the moving average, in [0, 1). Default 0.99, the paper's.
        num_samples: S, draws of z per example, at least 1. Default 1.
        analytic_kl: None (default) takes the closed form where there is one, True insists on it,
            False estimates the KL from the same draws of z.
        **kwargs: Keras layer arguments.

    Shapes: `[B]` nats for each name; `nll_weight` a scalar.

    Raises:
        UserError: if an argument is out of range, or `analytic_kl=True` finds no closed form.

    Example:
        >>> GECO(target=15.0).names
        ('elbo', 'nll', 'kl', 'nll_weight')

    References:
        D. J. Rezende and F. Viola, 2018, "Taming VAEs", arXiv:1810.00597, eq. 3 and algorithm 1.
        Departures: the constraint is the likelihood's, in nats; lambda starts at 1, stays within
        1e-6 and 1e6, and the step that moves it uses it.
    """

    stratified = True

    def __init__(
        self,
        target: float,
        rate: float = 1e-3,
        decay: float = 0.99,
        num_samples: int = 1,
        analytic_kl: bool | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.target = real("target", target)
        self.num_samples = positive_int("num_samples", num_samples)
        self.analytic_kl = checked_analytic(analytic_kl)
        self.multiplier = Multiplier(rate, decay, name="multiplier")

    @property
    def term_weights(self) -> Mapping[str, keras.Variable]:
        """That of `nll`, which moves by itself."""
        return {"nll": self.multiplier.weight}

    @property
    def names(self) -> tuple[str, ...]:
        """`elbo` and its parts, and the multiplier."""
        return ("elbo", "nll", "kl", "nll_weight")

    def nats(self, inference: Inference) -> Nats:
        """Returns `nll` and `kl` as terms, the ELBO and lambda beside them."""
        draws = inference.draw_strata(self.num_samples)
        nll, kl = draws.nll, total_kl(inference, draws, self.analytic_kl)
        weight = self.multiplier(tf.stop_gradient(tf.reduce_mean(nll)) - self.target)
        watched = {"elbo": -nll - kl, "nll_weight": weight}
        return Nats({"nll": nll, "kl": kl}, draws.reconstruction, watched)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments; lambda and the average are weights."""
        return {
            **super().get_config(),
            "target": self.target,
            "rate": self.multiplier.rate,
            "decay": self.multiplier.decay,
            "num_samples": self.num_samples,
            "analytic_kl": self.analytic_kl,
        }
