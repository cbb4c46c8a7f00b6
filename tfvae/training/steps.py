"""One step of training and of testing: each phase minimises its own terms, each row counts once."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from tfvae.errors import UserError
from tfvae.training.exchanges import all_counted, clipped, same_state, unless_empty
from tfvae.training.phased_optimizer import scaled_losses
from tfvae.training.phases import Losses, Phase, gradients
from tfvae.training.replicas import ReplicaRows, filled, step_on


class Steps(keras.Model):
    """Keras' steps for a model whose loss is a sum of named terms.

    Keras averages the losses of replicas, so that the rows of a smaller share would count for more;
    and it knows of one loss for all variables.

    Subclasses have `phases`, and a `call` that gives the terms to `add_loss` in the order of their
    names, which it leaves in `term_names`.
    """

    term_names: Sequence[str] = ()

    def phases(self) -> Sequence[Phase]:
        """Returns who learns from what."""
        raise NotImplementedError

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        """Lets each phase take a step on the terms that it minimises; returns the logs."""
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        with step_on(x) as rows, same_state(self, rows):
            found = clipped(self.optimizer, self._gradients(x, rows))
            variables = self.trainable_variables
            if not variables:
                raise UserError(
                    f"{self.name} has nothing to train: all its layers are frozen. Set trainable = "
                    "True for those that are to learn."
                )
            self.optimizer.apply_gradients(zip(found, variables, strict=True))
        return self.get_metrics_result()

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        """Evaluates the terms on a batch; returns the logs."""
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        with step_on(x) as rows, same_state(self, rows):
            self._track(self._losses_of(x, training=False), rows)
        return self.get_metrics_result()

    def get_metrics_result(self) -> dict[str, Any]:
        """Returns what the metrics have counted, on whichever replica."""
        with all_counted(self.metrics):
            return super().get_metrics_result()

    def _gradients(self, x: Any, rows: ReplicaRows) -> list[Any]:
        """This replica's part of the gradients, which the optimizer sums over replicas."""
        phases = self.phases()
        with tf.GradientTape(persistent=len(phases) > 1) as tape:
            losses = self._losses_of(x, training=True)
            # An only phase minimises everything, whatever its terms are called.
            sums = [losses.total] if len(phases) == 1 else map(losses.of, phases)
            by_phase = {p.name: loss * rows.share for p, loss in zip(phases, sums, strict=True)}
            scaled = scaled_losses(self.optimizer, by_phase)
        self._track(losses, rows)
        return unless_empty(gradients(tape, phases, scaled, self.trainable_variables), rows)

    def _track(self, losses: Losses, rows: ReplicaRows) -> None:
        self._loss_tracker.update_state(losses.total, sample_weight=rows.count)

    def _losses_of(self, x: Any, training: bool) -> Losses:
        """What a batch adds to the loss."""
        self(filled(x), training=training)
        own = len(self.term_names)  # `call` adds them, and layers are asked after it
        terms = dict(zip(self.term_names, self.losses[:own], strict=True))
        losses = Losses(terms, self.losses[own:])
        # Replicas are threads that take turns, in a synchronised BatchNormalization too, and Keras
        # keeps the losses of all in one list.
        self._clear_losses()
        return losses
