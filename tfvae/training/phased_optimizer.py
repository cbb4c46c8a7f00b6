"""One Keras optimizer for a model of several phases, and loss scaling where float16 needs it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf
from keras.optimizers import LossScaleOptimizer

from tfvae.errors import UserError
from tfvae.suggestions import nearest
from tfvae.training.exchanges import clipped
from tfvae.training.phases import Phase


@keras.saving.register_keras_serializable("tfvae")
class PhasedOptimizer(keras.optimizers.Optimizer):
    """One optimizer for each phase, in the place of one for all.

    `fit`, checkpoints and the compiled loop see one Keras optimizer: it counts the steps, its
    variables are those of all, and `apply` hands each gradient to the phase that owns its variable.
    A phase that rests in a step leaves its variables and its optimizer's state as they are.

    Args:
        optimizers: name of a phase -> Keras optimizer, or what `keras.optimizers.get` takes.
        **kwargs: `name`.
    """

    built: bool  # of the Keras optimizer, which has no types

    def __init__(self, optimizers: Mapping[str, Any], **kwargs: Any):
        kwargs.pop("learning_rate", None)
        super().__init__(learning_rate=0.0, **kwargs)
        # Not `optimizers`: Keras' callbacks take that for a list.
        self.by_phase = {name: keras.optimizers.get(o) for name, o in optimizers.items()}
        self.phases: Callable[[], Sequence[Phase]] | None = None

    def bind(self, phases: Callable[[], Sequence[Phase]]) -> None:
        """Tells it how to find the phases of its model.

        Args:
            phases: called when the variables exist.
        """
        self.phases = phases

    def build(self, variables: Sequence[keras.Variable]) -> None:
        """Makes the state of every optimizer, for the variables of its phase.

        Raises:
            UserError: if phases share a variable, or a variable is in none.
        """
        if self.built:
            return
        phases = self._checked_phases(variables)
        for phase in phases:
            self.by_phase[phase.name].build(list(phase.variables))
        self.built = True
        self._trainable_variables = list(variables)

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> None:
        """Lets each phase whose turn it is apply the gradients of its variables."""
        variables = list(trainable_variables or self._trainable_variables)
        self.build(variables)
        found = {
            id(variable): gradient for variable, gradient in zip(variables, grads, strict=True)
        }
        for phase in self.phases():
            pairs = [(found[id(v)], v) for v in phase.variables if id(v) in found]
            self._step(phase, pairs)
        self._iterations.assign_add(1)

    def finalize_variable_values(self, var_list: Sequence[Any]) -> None:
        """Ends the training of every phase: with averages of weights, where its optimizer has any.

        Args:
            var_list: Of the model.
        """
        for phase in self.phases():
            self.by_phase[phase.name].finalize_variable_values(list(phase.variables))

    def _step(self, phase: Phase, pairs: list[tuple[Any, Any]]) -> None:
        optimizer = self.by_phase[phase.name]
        parts = clipped(optimizer, [gradient for gradient, _ in pairs])
        pairs = [(part, variable) for part, (_, variable) in zip(parts, pairs, strict=True)]
        if phase.every == 1:
            optimizer.apply_gradients(pairs)
            return
        now = tf.equal(tf.convert_to_tensor(self._iterations) % phase.every, 0)
        state = [*optimizer.variables, *phase.variables]
        before = [tf.identity(variable.value) for variable in state]
        optimizer.apply_gradients(pairs)
        # Selected, not branched: a step under `tf.cond` makes variables where Keras may not.
        for variable, old in zip(state, before, strict=True):
            variable.assign(tf.where(now, variable.value, old))

    def _checked_phases(self, variables: Sequence[keras.Variable]) -> Sequence[Phase]:
        owners: dict[int, str] = {}
        phases = self.phases()
        for phase in phases:
            for variable in phase.variables:
                if id(variable) in owners:
                    raise UserError(
                        f"The phases {owners[id(variable)]!r} and {phase.name!r} both train "
                        f"{variable.path}; give each variable to one phase."
                    )
                owners[id(variable)] = phase.name
        for variable in variables:
            if id(variable) not in owners:
                raise UserError(
                    f"No phase trains {variable.path}. Add it to one of "
                    f"{', '.join(phase.name for phase in phases)}, or set trainable=False."
                )
        return phases

    @property
    def variables(self) -> list[keras.Variable]:
        """The count of steps, and the variables of every optimizer."""
        own = [variable for o in self.by_phase.values() for variable in o.variables]
        return [self._iterations, *own]

    @property
    def learning_rate(self) -> Any:
        """The first phase's, which Keras' callbacks read and set."""
        return next(iter(self.by_phase.values())).learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        next(iter(self.by_phase.values())).learning_rate = value

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        serialize = keras.optimizers.serialize
        optimizers = {name: serialize(o) for name, o in self.by_phase.items()}
        return {"name": self.name, "optimizers": optimizers}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "PhasedOptimizer":
        """Creates one from `get_config`."""
        deserialize = keras.optimizers.deserialize
        optimizers = {n: deserialize(c, custom_objects) for n, c in config["optimizers"].items()}
        return cls(**{**config, "optimizers": optimizers})


def optimizer_of(
    optimizer: Any, phases: Callable[[], Sequence[Phase]], scale_loss: bool = False
) -> keras.optimizers.Optimizer:
    """Returns what trains these phases: the optimizer itself for one, else one for each.

    Args:
        optimizer: what `compile` was given: a mapping from phases, or one that each gets a copy of.
        phases: those of the model, whose variables need not exist yet.
        scale_loss: whether each optimizer scales its loss, as `keras.Model.compile` has it do
            under mixed_float16.

    Raises:
        UserError: if the mapping does not have just the phases' names.
    """
    names = [phase.name for phase in phases()]
    by_phase = {
        name: _scaling(o) if scale_loss else o for name, o in _by_phase(optimizer, names).items()
    }
    if len(names) == 1:
        return by_phase[names[0]]
    found = PhasedOptimizer(by_phase)
    found.bind(phases)
    return found


def scaled_losses(
    optimizer: keras.optimizers.Optimizer, losses: Mapping[str, tf.Tensor]
) -> dict[str, tf.Tensor]:
    """Returns the loss of each phase, scaled as the optimizer of the phase wants it."""
    by_phase = optimizer.by_phase if isinstance(optimizer, PhasedOptimizer) else None
    return {
        name: (by_phase[name] if by_phase else optimizer).scale_loss(loss)
        for name, loss in losses.items()
    }


def _scaling(optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
    scales = isinstance(optimizer, LossScaleOptimizer)
    return optimizer if scales else LossScaleOptimizer(optimizer, name="loss_scale_optimizer")


def _by_phase(optimizer: Any, names: Sequence[str]) -> dict[str, keras.optimizers.Optimizer]:
    """An optimizer for each name."""
    if isinstance(optimizer, PhasedOptimizer):
        optimizer = optimizer.by_phase
    if not isinstance(optimizer, Mapping):
        first = keras.optimizers.get(optimizer)
        config = keras.optimizers.serialize(first) if len(names) > 1 else None
        copies = {name: keras.optimizers.deserialize(config) for name in names[1:]}
        return {names[0]: first, **copies}
    for name in optimizer:
        if name not in names:
            raise UserError(
                f"optimizer names {name!r}, which is no phase of this model.{nearest(name, names)} "
                f"Expected {', '.join(names)}."
            )
    missing = [name for name in names if name not in optimizer]
    if missing:
        raise UserError(
            f"optimizer lacks the phases {', '.join(missing)}. Give one for each of "
            f"{', '.join(names)}, or a single optimizer of which each gets a copy."
        )
    return {name: keras.optimizers.get(o) for name, o in optimizer.items()}
