"""One step of training and of testing: each phase minimises its own terms, each row counts once."""

import itertools
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from tfvae.training.exchanges import all_counted, clipped, same_state, unless_empty
from tfvae.training.phases import Phase, gradients
from tfvae.training.replicas import Rows, filled, step_on


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
            self.optimizer.apply_gradients(zip(found, variables, strict=True))
        return self.get_metrics_result()

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        """Evaluates the terms on a batch; returns the logs."""
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        with step_on(x) as rows, same_state(self, rows):
            self._track(self._named_losses(x, training=False), rows)
        return self.get_metrics_result()

    def get_metrics_result(self) -> dict[str, Any]:
        """Returns what the metrics have counted, on whichever replica."""
        with all_counted(self.metrics):
            return super().get_metrics_result()

    def _gradients(self, x: Any, rows: Rows) -> list[Any]:
        """This replica's part of the gradients, which the optimizer sums over replicas."""
        phases, variables = self.phases(), self.trainable_variables
        with tf.GradientTape(persistent=len(phases) > 1) as tape:
            losses = self._named_losses(x, training=True)
            scaled = {
                name: self.optimizer.scale_loss(loss * rows.share) for name, loss in losses.items()
            }
            total = tf.add_n(list(scaled.values()))
        self._track(losses, rows)
        if len(phases) == 1:
            found = tape.gradient(total, [variable.value for variable in variables])
        else:
            found = gradients(tape, phases, scaled, variables)
        return unless_empty(found, rows)

    def _track(self, losses: dict[str, tf.Tensor], rows: Rows) -> None:
        self._loss_tracker.update_state(tf.add_n(list(losses.values())), sample_weight=rows.count)

    def _named_losses(self, x: Any, training: bool) -> dict[str, tf.Tensor]:
        """The weighted means of the terms by name, and what layers add to them by number."""
        self(filled(x), training=training)
        numbers = (str(number) for number in itertools.count())
        named = dict(zip(itertools.chain(self.term_names, numbers), self.losses, strict=False))
        # Replicas are threads that take turns, in a synchronised BatchNormalization too, and Keras
        # keeps the losses of all in one list.
        self._clear_losses()
        return named
