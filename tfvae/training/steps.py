"""One step of training and of testing: each phase minimises its own terms, each row counts once."""

import itertools
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from tfvae.training.phases import Phase, gradients
from tfvae.training.replicas import own_rows


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
        phases, rows = self.phases(), own_rows(x)
        with tf.GradientTape(persistent=len(phases) > 1) as tape:
            losses = self._named_losses(x, training=True)
            scaled = {
                name: self.optimizer.scale_loss(loss * rows.share) for name, loss in losses.items()
            }
            total = tf.add_n(list(scaled.values()))
        self._loss_tracker.update_state(tf.add_n(list(losses.values())), sample_weight=rows.count)
        variables = self.trainable_variables
        if len(phases) == 1:
            found = tape.gradient(total, [variable.value for variable in variables])
        else:
            found = gradients(tape, phases, scaled, variables)
        self.optimizer.apply_gradients(zip(found, variables, strict=True))
        return self.get_metrics_result()

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        """Evaluates the terms on a batch; returns the logs."""
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        losses = self._named_losses(x, training=False)
        count = own_rows(x).count
        self._loss_tracker.update_state(tf.add_n(list(losses.values())), sample_weight=count)
        return self.get_metrics_result()

    def _named_losses(self, x: Any, training: bool) -> dict[str, tf.Tensor]:
        """The weighted means of the terms by name, and what layers add to them by number."""
        self(x, training=training)
        numbers = (str(number) for number in itertools.count())
        return dict(zip(itertools.chain(self.term_names, numbers), self.losses, strict=False))
