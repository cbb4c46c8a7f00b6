"""Keras' functions that take one batch: of training, testing and predicting."""

from typing import Any

from tfvae.training.compiling import Compiled
from tfvae.training.inputs import refuse_extra
from tfvae.training.placing import one_batch


class OnBatches(Compiled):
    """`train_on_batch`, `test_on_batch` and `predict_on_batch` on one batch of named fields."""

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Trains on one batch of arrays; see `keras.Model.train_on_batch`."""
        refuse_extra(y, sample_weight, class_weight)
        return super().train_on_batch(one_batch(self, x), **kwargs)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, **kwargs: Any) -> Any:
        """Evaluates one batch of arrays; see `keras.Model.test_on_batch`."""
        refuse_extra(y, sample_weight)
        return super().test_on_batch(one_batch(self, x), **kwargs)

    def predict_on_batch(self, x: Any) -> Any:
        """Returns the reconstruction of each example; see `keras.Model.predict_on_batch`."""
        return super().predict_on_batch(one_batch(self, x))
