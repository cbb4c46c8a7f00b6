"""Small trainings that come out alike, whatever the strategy they run under."""

import keras
import numpy as np
import tensorflow as tf

import tfvae
from tests.models.test_phases import EverySecond, make
from tests.models.test_vq_vae import X as BITS
from tests.models.test_vq_vae import vq_vae
from tests.models.tiny import SHAPE
from tests.training.conditional import DATA, Conditional
from tfvae import heads, networks, quantisers
from tfvae.training.replicas import is_chief

ROWS = 193  # of 64: the last batch has one row, and one of two replicas none
IMAGES = (np.random.default_rng(2).random((ROWS, *SHAPE)) > 0.5).astype("float32")
MOMENTUM = 0.75


def results(strategy, *names):
    trainings = {name: TRAININGS[name](strategy) for name in names}
    return {"replicas": strategy.num_replicas_in_sync, "chief": is_chief(strategy), **trainings}


def model(features=None, clipnorm=None):
    keras.utils.set_random_seed(0)
    vae = tfvae.VAE(
        tfvae.Encoder(features or networks.MLP([8]), heads.MultivariateNormalDiag(2)),
        tfvae.Decoder(networks.MLP([8]), heads.IndependentBernoulli(SHAPE)),
        seed=5,
    )
    vae.compile(keras.optimizers.Adam(1e-2, clipnorm=clipnorm), jit_compile=False)
    return vae


def loaded(strategy):
    """Rows in another order and with other bits each epoch; 1437 and 360 are no multiples of 64."""
    train, test = tfvae.data.load("digits", batch_size=64)
    with strategy.scope():
        vae = model()
    history = vae.fit(train, epochs=2, validation_data=test, verbose=0).history
    return {"history": history, **state(vae)}


def arrays(strategy):
    """Shuffled rows, the last batch too small for two, and gradients that are clipped.

    Convolutions fail on no rows.
    """
    keras.utils.set_random_seed(0)
    with strategy.scope():
        convolutions = [keras.layers.Conv2D(4, 3, activation="tanh") for _ in range(2)]
        vae = model(keras.Sequential([*convolutions, keras.layers.Flatten()]), clipnorm=0.1)
    seen = keras.callbacks.LambdaCallback(on_train_batch_end=lambda _, logs: batches.append(logs))
    batches = []
    history = vae.fit(IMAGES, batch_size=64, epochs=2, callbacks=[seen], verbose=0).history
    on_batch = vae.train_on_batch(IMAGES[:3], return_dict=True)
    return {
        "history": history,
        "batches": batches,
        "on_batch": on_batch,
        "evaluated": vae.evaluate(IMAGES, batch_size=64, verbose=0, return_dict=True),
        "predicted": vae.predict(IMAGES, batch_size=64, verbose=0)[:, 3, 3, 0].tolist(),
        "on_one": vae.predict_on_batch(IMAGES[:1])[:, 3, 3, 0].tolist(),
        **state(vae),
    }


def normalised(strategy, rows=6, **options):
    """One epoch of two batches: of five rows, and of what is left of them."""
    keras.utils.set_random_seed(0)
    with strategy.scope():
        layer = keras.layers.BatchNormalization(momentum=MOMENTUM, **options)
        vae = model(keras.Sequential([keras.layers.Flatten(), layer, keras.layers.Dense(8)]))
    batches = tf.data.Dataset.from_tensor_slices(IMAGES[:rows]).batch(5)
    history = vae.fit(batches, verbose=0).history
    moving = {"mean": layer.moving_mean, "variance": layer.moving_variance}
    moving = {name: local_values(strategy, variable) for name, variable in moving.items()}
    return {"history": history, **moving, **state(vae)}


def optimal_scale(strategy):
    """A likelihood that is fitted to each batch, the last of which has one row."""
    keras.utils.set_random_seed(0)
    with strategy.scope():
        likelihood = heads.IndependentNormal(SHAPE, scale="optimal")
        vae = tfvae.VAE(
            tfvae.Encoder(networks.MLP([8]), heads.MultivariateNormalDiag(2)),
            tfvae.Decoder(networks.MLP([8]), likelihood),
            seed=5,
        )
        vae.compile(keras.optimizers.Adam(1e-2), jit_compile=False)
    history = vae.fit(IMAGES[:65], batch_size=16, epochs=2, verbose=0).history
    return {"history": history, **state(vae)}


def phases(strategy):
    """Two players, one of which rests in every other step."""
    with strategy.scope():
        vae = make(EverySecond)
    history = vae.fit(IMAGES, batch_size=64, shuffle=False, epochs=2, verbose=0).history
    steps = [int(o.iterations.numpy()) for o in vae.optimizer.by_phase.values()]
    return {"history": history, "steps": steps, **state(vae)}


def codes(strategy):
    """A code book that begins at the k-means of the vectors of all replicas, and goes on."""
    keras.utils.set_random_seed(0)
    with strategy.scope():
        model = vq_vae(quantisers.VectorQuantised(6, 3, restart_below=0.5))
        model.compile(keras.optimizers.Adam(1e-2), jit_compile=False)
    history = model.fit(BITS[:65], batch_size=16, epochs=2, verbose=0).history
    return {"history": history, **state(model)}


def local_values(strategy, variable):
    return [value.numpy().tolist() for value in strategy.experimental_local_results(variable.value)]


def labelled(strategy):
    """Two fields by name, and the gradient of a table, which has rows of its own."""
    keras.utils.set_random_seed(0)
    with strategy.scope():
        conditional = Conditional()
        optimizer = keras.optimizers.Adam(0.1, global_clipnorm=0.5)
        conditional.compile(optimizer, jit_compile=False)
    nine = {name: values[:9] for name, values in DATA.items()}
    history = conditional.fit(nine, batch_size=8, epochs=2, verbose=0).history
    return {"history": history, **state(conditional)}


def state(vae):
    flat = [np.ravel(weight) for weight in vae.get_weights()]
    return {"weights": np.concatenate(flat).astype("float64").tolist()}


def synchronised(strategy):
    """Layers that exchange sums: a replica without rows would add one of zeros to them."""
    return normalised(strategy, rows=8, synchronized=True)


TRAININGS = {
    function.__name__: function
    for function in (
        loaded,
        arrays,
        normalised,
        synchronised,
        optimal_scale,
        phases,
        labelled,
        codes,
    )
}
