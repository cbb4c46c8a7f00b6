"""What `compile` checks and decides: optimizers, phases, steps of an execution, XLA."""

from typing import Any

import keras

from tfvae.checks import positive_int
from tfvae.errors import UserError
from tfvae.training.phased_optimizer import PhasedOptimizer, optimizer_of
from tfvae.training.strategies import OnReplicas, check_scope
from tfvae.training.xla import xla_pays

_OWN = ("loss_weights", "metrics", "weighted_metrics")
_NO_LOSS = (
    "{name}={value!r} was passed to compile(), but the model's loss is its objective's: terms per "
    "example that `call` gives to `add_loss`. Pass an objective to the constructor instead, such "
    "as VAE(..., objective=tfvae.objectives.ELBO(kl_weight=4.0)), and compile(optimizer=...)."
)

# Keras 3.15 looks for overflow in the first replica's gradients alone.
_NO_SCALING = (
    "mixed_float16 needs its loss scaled, and that is not supported on several replicas. Use "
    "mixed_bfloat16, which needs none, or compile(auto_scale_loss=False)."
)
# It asks in a replica whether to update, which replicas then may not do together.
_NO_ACCUMULATION = (
    "gradient_accumulation_steps={} is not supported on several replicas: Keras 3.15 fails. Use "
    "larger batches, of which each replica has a part."
)


class Compiled(OnReplicas):
    """Keras' `compile` for a model whose losses are its own, with an optimizer for each phase."""

    _auto_steps = False  # until compiled: a model predicts, and is loaded, without that

    def compile(
        self,
        optimizer: Any = "adam",
        loss: None = None,
        *,
        steps_per_execution: int | str = "auto",
        **kwargs: Any,
    ) -> None:
        """Configures training; see `keras.Model.compile`.

        The logged values are the terms of the loss, so `loss`, `loss_weights`, `metrics` and
        `weighted_metrics` are refused.

        Args:
            optimizer: as for Keras, or a mapping from the names of the model's phases.
            loss: refused, if it is given.
            steps_per_execution: "auto" (default) runs many steps at once, unless a callback of
                your own looks at every batch. It is a divisor of `steps_per_epoch`,
                `validation_steps` and `steps`, so choose numbers that many divide.
            **kwargs: as for Keras. `auto_scale_loss` (default True) scales the loss where a part
                of the model computes in mixed_float16.

        Raises:
            UserError: if a loss or metrics are passed, if a mapping does not name the phases, if
                `steps_per_execution` is neither "auto" nor a positive integer, if the model and
                its optimizer are not made under the same distribution strategy, or for scaled
                losses on several replicas.
        """
        own = {name: kwargs.pop(name, None) for name in _OWN}
        for name, value in {"loss": loss, **own}.items():
            if value is not None:
                raise UserError(_NO_LOSS.format(name=name, value=value))
        check_scope(self)
        self._auto_steps = steps_per_execution == "auto"
        steps = 1 if self._auto_steps else positive_int("steps_per_execution", steps_per_execution)
        scales = kwargs.pop("auto_scale_loss", True) and computes_in_float16(self)
        optimizer = optimizer_of(optimizer, self.phases, scales)
        if self.distribute_strategy.num_replicas_in_sync > 1:
            _check_replicated(optimizer)
        super().compile(
            optimizer=optimizer, steps_per_execution=steps, auto_scale_loss=False, **kwargs
        )

    def get_compile_config(self) -> dict[str, Any] | None:
        """Returns the arguments of `compile`, with "auto" where that was asked for."""
        config = super().get_compile_config()
        if config and self._auto_steps:
            config["steps_per_execution"] = "auto"
        return config

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles as a saved model was; Keras asks for this of a model with its own compile."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        if self.built:
            self.optimizer.build(self.trainable_variables)

    def _resolve_auto_jit_compile(self) -> bool:
        # Keras 3.15 turns jit_compile="auto" off where there is only a CPU.
        return self._distribute_strategy is None and xla_pays(self)


def computes_in_float16(model: keras.Model) -> bool:
    """Whether a part of a model has the policy under which Keras scales losses.

    The model's own is float32, whatever that of its networks.
    """
    return any(layer.dtype_policy.name == "mixed_float16" for layer in model._flatten_layers())


def _check_replicated(optimizer: keras.optimizers.Optimizer) -> None:
    """Refuses what optimizers of Keras 3.15 can't do on several replicas."""
    phased = isinstance(optimizer, PhasedOptimizer)
    for one in optimizer.by_phase.values() if phased else [keras.optimizers.get(optimizer)]:
        if isinstance(one, keras.optimizers.LossScaleOptimizer):
            raise UserError(_NO_SCALING)
        if one.gradient_accumulation_steps:
            raise UserError(_NO_ACCUMULATION.format(one.gradient_accumulation_steps))
