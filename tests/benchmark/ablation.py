"""What each of the measures for speed buys: `ablation.py [ROUNDS]`.

The network of `tfvae benchmark mnist --activation relu` is trained, and evaluated, as it is and
with one measure taken back at a time, in turns; then the convolutional preset is trained, on a CPU.
A row says how many times as long it then takes, by the clock and in processor time: medians over
the rounds of ratios within one round. The last row of training takes all of them back: a plain
`fit` of Keras on the same pipeline, with TFP's densities and draws.
"""

import contextlib
import statistics
import sys
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

import tfvae
from tfvae import presets, random
from tfvae.benchmark.measure import Workload, random_images, rate
from tfvae.data import binarisation
from tfvae.distributions.draws import Draw
from tfvae.heads.likelihoods import independent_bernoulli
from tfvae.inference.proposal import Posterior
from tfvae.settings import building

BATCH_SIZE, SECONDS, SAMPLES = 128, 1.0, 5000
MLP, IMAGE_SHAPE = presets.get("mnist", activation="relu"), (28, 28, 1)


def uniform_bits(pixels, seed, epoch, number):
    key = tf.stack([tf.cast(epoch, tf.int32), tf.cast(number, tf.int32)])
    grey = binarisation.scale(pixels)
    return tf.cast(tf.random.stateless_uniform(tf.shape(grey), key) < grey, tf.float32)


DENSITY = mock.patch.object(
    independent_bernoulli, "IndependentPixels", tfp.distributions.Independent
)
COSINE = mock.patch.object(random, "_cosine", lambda turns: tf.cos(2.0 * np.float32(np.pi) * turns))


def sampled(self, noise):
    z = self.distribution.sample(1, seed=noise.stateless_seed())
    return Draw(z, self.distribution.log_prob(z))


DRAWS = mock.patch.object(Posterior, "draw", sampled)
BITS = mock.patch.object(binarisation, "draw_batch", uniform_bits)

# Name -> patches, arguments of compile, and whether the data stay on the device.
TRAINING = {
    "as it is": ((), {}, True),
    "TFP's Bernoulli density": ((DENSITY,), {}, True),
    "the C library's cosine": ((COSINE,), {}, True),
    "TFP's draws of z": ((DRAWS,), {}, True),
    "TensorFlow's uniforms for binarisation": ((BITS,), {}, True),
    "one step a program": ((), {"steps_per_execution": 1}, True),
    "data streamed by tf.data": ((), {}, False),
    "no XLA": ((), {"jit_compile": False}, True),
    "all of these": (
        (DENSITY, DRAWS, BITS),
        {"jit_compile": False, "steps_per_execution": 1},
        False,
    ),
}
EVALUATION = {
    "as it is": (),
    "TFP's Bernoulli density": (DENSITY,),
    "the C library's cosine": (COSINE,),
    "both of these": (DENSITY, COSINE),
}


CONVOLUTIONS = {"as it is": False, "through XLA": True}


def model(config):
    steps = 468 * config["epochs"]
    return config.model(IMAGE_SHAPE), building.optimizer(config, steps, **config.group("optimizer"))


def training(name, train):
    """Returns what runs one epoch, compiled while the patches hold."""
    patches, options, resident = TRAINING[name]
    with contextlib.ExitStack() as stack:
        for patch in patches:
            stack.enter_context(patch)
        vae, optimizer = model(MLP)
        vae.compile(optimizer, **options)
        # What map makes of a data set is no longer known to be tfvae's own.
        images = train if resident else train.map(tf.identity)
        vae.fit(images, verbose=0)
    return lambda: vae.fit(images, verbose=0)


def evaluation(name, images):
    """Returns what estimates the likelihood of a few images, compiled while the patches hold."""
    with contextlib.ExitStack() as stack:
        for patch in EVALUATION[name]:
            stack.enter_context(patch)
        vae, _ = model(MLP)
        vae.log_likelihood(images, num_samples=SAMPLES, verbose=0)
    return lambda: vae.log_likelihood(images, num_samples=SAMPLES, verbose=0)


def convolutions(xla, images):
    """Returns what trains the convolutional preset on some batches."""
    images = np.tile(images, (8, 1, 1, 1))
    vae, optimizer = model(presets.get("mnist-conv"))
    vae.compile(optimizer, jit_compile=xla)
    vae.fit(images, batch_size=BATCH_SIZE, verbose=0)
    return lambda: vae.fit(images, batch_size=BATCH_SIZE, verbose=0)


def table(title, jobs, rounds):
    print(f"{title:42}{'clock':>8}{'processor':>11}", flush=True)
    rates = [{name: rate(run, 1, SECONDS) for name, run in jobs.items()} for _ in range(rounds)]
    for name in jobs:
        clock, processor = (
            statistics.median(turn["as it is"][kind] / turn[name][kind] for turn in rates)
            for kind in (0, 1)
        )
        print(f"{name:42}{clock:8.2f}{processor:11.2f}", flush=True)


def main(rounds="5"):
    print(f"tfvae {tfvae.__version__}, TensorFlow {tf.__version__}")
    images = Workload(num_images=100 * BATCH_SIZE)
    with tempfile.TemporaryDirectory() as folder:
        train, bits = random_images(Path(folder), MLP, IMAGE_SHAPE, images)
    jobs = {name: training(name, train) for name in TRAINING}
    table("training, without", jobs, int(rounds))
    jobs = {name: evaluation(name, bits[:16]) for name in EVALUATION}
    table(f"log-likelihood, {SAMPLES} samples, without", jobs, int(rounds))
    jobs = {name: convolutions(xla, bits) for name, xla in CONVOLUTIONS.items()}
    table("training mnist-conv", jobs, int(rounds))


if __name__ == "__main__":
    main(*sys.argv[1:])
