"""What optimizers of Keras can't do on several replicas is refused when a model is compiled."""

import keras
import pytest
import tensorflow as tf

from tests.models.test_phases import make as two_phases
from tests.models.tiny import vae
from tests.training.test_loss_scaling import make as of_policy

ACCUMULATING = {"gradient_accumulation_steps": 2, "clipnorm": 0.1}


@pytest.fixture
def several(monkeypatch):
    """Makes the strategy of everything say that it has two replicas."""
    default = type(tf.distribute.get_strategy())
    return lambda: monkeypatch.setattr(default, "num_replicas_in_sync", 2)


@pytest.mark.parametrize("make", [vae, two_phases])
def test_accumulated_gradients(several, make):
    model, optimizer = make(), keras.optimizers.Adam(**ACCUMULATING)
    model.compile(optimizer)
    several()
    with pytest.raises(ValueError, match="gradient_accumulation_steps=2 is not supported on sev"):
        model.compile(optimizer)


def test_scaled_losses(several):
    model = of_policy("mixed_float16")
    several()
    with pytest.raises(ValueError, match="mixed_float16 needs its loss scaled"):
        model.compile("adam")
    model.compile("adam", auto_scale_loss=False)
