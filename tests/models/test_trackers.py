"""Keras' callbacks know which way each logged value is better."""

from dataclasses import replace

import keras
import numpy as np
import pytest

import tfvae
from tests.models.test_frozen import X, model


class Falling(keras.callbacks.Callback):
    """Makes the monitored value worse after every epoch: 3, 2, 1, in the direction given."""

    def __init__(self, name, sign):
        super().__init__()
        self.name, self.sign = name, sign

    def on_epoch_end(self, epoch, logs=None):
        logs[self.name] = -self.sign * float(epoch)


@pytest.mark.parametrize(
    ("name", "sign"), [("val_elbo", 1), ("elbo", 1), ("val_nll", -1), ("kl", -1), ("loss", -1)]
)
def test_early_stopping_and_its_like_need_no_mode(name, sign, tmp_path):
    """The first epoch is the best of values that get worse: `sign` 1 for those that should rise."""
    vae = model()
    vae.compile(keras.optimizers.Adam(1e-3))
    best = str(tmp_path / "best.keras")
    vae.fit(
        X,
        validation_data=X,
        epochs=6,
        verbose=0,
        callbacks=[
            Falling(name, sign),
            keras.callbacks.ModelCheckpoint(best, monitor=name, save_best_only=True),
            keras.callbacks.ReduceLROnPlateau(name, factor=0.5, patience=1, min_delta=0.0),
            stopping := keras.callbacks.EarlyStopping(name, patience=3),
        ],
    )
    assert stopping.best_epoch == 0
    assert stopping.stopped_epoch == 3
    assert int(tfvae.load_model(best).optimizer.iterations) == 1
    assert float(vae.optimizer.learning_rate) == pytest.approx(1e-3 / 8)


class Surprised(tfvae.objectives.ELBO):
    names = ("elbo", "nll", "kl", "surprise")

    def nats(self, inference):
        nats = super().nats(inference)
        return replace(nats, watched={**nats.watched, "surprise": nats.terms["nll"]})


def test_a_watched_value_without_a_direction_asks_for_the_mode():
    vae = model(Surprised())
    vae.compile("adam")
    with pytest.raises(ValueError, match="mode='max'"):
        vae.fit(X, verbose=0, callbacks=[keras.callbacks.EarlyStopping("surprise")])


def test_every_tracker_is_logged():
    vae = model()
    vae.compile("adam")
    logs = vae.fit(X, validation_data=X, verbose=0).history
    names = {"loss", "elbo", "nll", "kl"}
    assert set(logs) == names | {f"val_{name}" for name in names}
    assert np.isfinite([values[0] for values in logs.values()]).all()
