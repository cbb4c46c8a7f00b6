"""Keras' methods on images alone, checked where they enter."""

from typing import Any

import keras
import tensorflow as tf

from tfvae.checks import positive_int
from tfvae.errors import UserTypeError
from tfvae.training.inputs import checked_inputs, refuse_class_weight, refuse_extra
from tfvae.training.trainer import DeviceTrainer


class CheckedTrainer(DeviceTrainer):
    """`fit` and its like for models that learn from images: what would be ignored is refused.

    Subclasses have `image_shape`, `build` and `reconstruct`.
    """

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, **kwargs
    ) -> tf.Tensor:
        """Returns the sum of the added losses; targets and sample weights are refused."""
        refuse_extra(y, sample_weight)
        return super().compute_loss(x=x, y=None, y_pred=y_pred, **kwargs)

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int | str = "auto",
        **kwargs: Any,
    ) -> keras.callbacks.History:
        """Trains on images alone; see `keras.Model.fit` for the arguments.

        Args:
            x: Images `[N, H, W, C]` in [0, 1] as an array, or batches of them: a `tf.data.Dataset`,
                a `keras.utils.PyDataset` or a generator.
            y: Refused: a VAE has no targets. So is `sample_weight`.
            batch_size: Images of a batch where x is an array, 32 by default.
            epochs: How often to go through x.
            verbose: As for Keras.
            **kwargs: `validation_data`, `callbacks` and so on.

        Raises:
            TypeError: for pixels that are not floating point, and data of other types.
            ValueError: for targets, sample weights, images of the wrong shape, non-finite pixels
                or pixels outside [0, 1], and counts below 1.
        """
        _positive(kwargs, "steps_per_epoch", "validation_steps", "validation_batch_size")
        refuse_extra(y, kwargs.get("sample_weight"))
        refuse_class_weight(kwargs.get("class_weight"))
        if kwargs.get("validation_data") is not None:
            kwargs["validation_data"] = checked_inputs(
                kwargs["validation_data"], self.image_shape, "validation_data"
            )
        x = self._prepared(x, batch_size)
        if not hasattr(x, "shape") and getattr(x, "num_batches", None) is None:
            kwargs["shuffle"] = False  # they shuffle themselves; Keras warns of its own default
        return super().fit(x, batch_size=batch_size, epochs=epochs, verbose=verbose, **kwargs)

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        **kwargs: Any,
    ) -> Any:
        """Returns loss, elbo, nll and kl on images; see `keras.Model.evaluate`."""
        refuse_extra(y, kwargs.get("sample_weight"))
        _positive(kwargs, "steps")
        if not kwargs.get("_use_cached_eval_dataset"):  # from `fit`, which has checked it
            x = self._prepared(x, batch_size)
        return super().evaluate(x, batch_size=batch_size, verbose=verbose, **kwargs)

    def predict(
        self, x: Any, batch_size: int | None = None, verbose: int | str = "auto", **kwargs: Any
    ) -> Any:
        """Returns the reconstruction of each image; see `keras.Model.predict`."""
        _positive(kwargs, "steps")
        x = self._prepared(x, batch_size)
        return super().predict(x, batch_size=batch_size, verbose=verbose, **kwargs)

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Trains on one batch of images; see `keras.Model.train_on_batch`."""
        refuse_extra(y, sample_weight)
        refuse_class_weight(class_weight)
        return super().train_on_batch(self._one_batch(x), **kwargs)

    def predict_on_batch(self, x: Any) -> Any:
        """Returns the reconstruction of each image; see `keras.Model.predict_on_batch`."""
        return super().predict_on_batch(self._one_batch(x))

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, **kwargs: Any) -> Any:
        """Evaluates one batch of images; see `keras.Model.test_on_batch`."""
        refuse_extra(y, sample_weight)
        return super().test_on_batch(self._one_batch(x), **kwargs)

    def _one_batch(self, x: Any) -> Any:
        """Returns x, checked, if it is an array."""
        x = self._prepared(x)
        if not hasattr(x, "shape"):
            raise UserTypeError(
                f"x is of type {type(x).__name__}; expected one batch, an array of images "
                "[B, H, W, C]."
            )
        return x

    def _prepared(self, x: Any, batch_size: int | None = None) -> Any:
        """Returns x, checked, for a model that is built.

        Weights that are made while a step is traced stay without values if the trace fails.
        """
        if batch_size is not None:
            positive_int("batch_size", batch_size)
        x = checked_inputs(x, self.image_shape, "x")
        if not self.built:
            with self.distribute_strategy.scope():
                self.build((None, *self.image_shape))
        return x

    def predict_step(self, data: Any) -> tf.Tensor:
        """Reconstructs a batch without drawing anything."""
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        return self.reconstruct(x)

    def reconstruct(self, images: tf.Tensor) -> tf.Tensor:
        """Returns the deterministic reconstruction of each image."""
        raise NotImplementedError

    @property
    def image_shape(self) -> tuple[int, ...]:
        """The shape of one image."""
        raise NotImplementedError


def _positive(arguments: dict[str, Any], *names: str) -> None:
    """Raises `ValueError` if one of these counts is given and below 1."""
    for name in names:
        if arguments.get(name) is not None:
            positive_int(name, arguments[name])
