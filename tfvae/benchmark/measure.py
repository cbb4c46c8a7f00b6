"""Throughputs through the public interface, each in turns with the products that it holds."""

import math
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

import tfvae
from tfvae.benchmark.products import Products
from tfvae.data.fields import example_size
from tfvae.errors import UserError
from tfvae.evaluation.importance import chunk_size, from_posterior
from tfvae.noise import Noise
from tfvae.runs.machine import library_versions, peak_memory_mb
from tfvae.settings.building import optimizer
from tfvae.settings.settings import Settings as RunSettings
from tfvae.training.devices import accelerators

_CODES = 2048  # sampled at once


@dataclass(frozen=True)
class Workload:
    """How long and on how much.

    Attributes:
        num_images: Of random bytes, in the training set.
        num_samples: K of the importance-weighted likelihood.
        seconds: For each measurement of each round, at least one repetition.
        rounds: In each, everything is measured once; the median counts.
    """

    num_images: int = 60_000
    num_samples: int = 5000
    seconds: float = 1.0
    rounds: int = 5


class Rate(NamedTuple):
    """Per second of the clock, and per second of a processor: the same however busy the machine."""

    wall: float
    cpu: float


def benchmark(
    config: RunSettings, image_shape: tuple[int, ...], settings: Workload, report: Callable
) -> dict[str, Any]:
    """Measures one model on this machine.

    Args:
        config: The settings of a run: the model, objective, batch size and precision.
        image_shape: `(H, W, C)`.
        settings: How long and on how much.
        report: Called with a line of text before each round.

    Returns:
        What was measured: `machine`, `peak_memory_mb` and for each of `training`, `evaluation` and
        `sampling` its `unit`, `per_second`, and `share_of_products`: the time that the matrix
        products and convolutions alone take, divided by the time that was taken.
        `share_by_processor_time` is the same in processor time, which other programs on the
        machine hardly change.
    """
    start = time.perf_counter()
    vae = config.model(image_shape)
    if vae.conditions():
        raise UserError(
            f"A benchmark takes random images alone, and {type(vae).__name__} is given "
            f"{', '.join(vae.conditions())} as well. Measure a preset without conditions."
        )
    with tempfile.TemporaryDirectory() as folder:
        train, images = random_images(Path(folder), config, image_shape, settings)
    batch = config["batch_size"]
    steps = config["epochs"] * max(1, settings.num_images // batch)
    vae.compile(optimizer(config, steps, **config.group("optimizer")))
    vae.fit(train, verbose=0)
    first_epoch = time.perf_counter() - start
    jobs = _jobs(vae, train, images, batch, settings)
    rates: dict[str, list[Rate]] = {name: [] for name in jobs}
    for run, _ in jobs.values():
        run()
    for number in range(settings.rounds):
        report(f"Round {number + 1} of {settings.rounds}")
        for name, (run, count) in jobs.items():
            rates[name].append(rate(run, count, settings.seconds))
    return {
        "machine": _machine(),
        "first_epoch_seconds": first_epoch,
        "parameters": vae.count_params(),
        "peak_memory_mb": peak_memory_mb(),
        "peak_accelerator_mb": _peak_accelerator_mb(),
        "training": _summary("images", rates, "training"),
        "evaluation": {
            **_summary("decoded samples", rates, "evaluation"),
            "num_samples": settings.num_samples,
            "images_per_second": _median(rates["evaluation"]) / settings.num_samples,
        },
        "sampling": _summary("images", rates, "sampling"),
    }


def random_images(
    folder: Path, config: RunSettings, image_shape: tuple[int, ...], settings: Workload
) -> tuple[tf.data.Dataset, np.ndarray]:
    """A training set of `tfvae.data.load`, written to `folder`, and one batch of bits."""
    random, batch = np.random.default_rng(0), config["batch_size"]
    pixels = random.integers(0, 256, (settings.num_images, *image_shape), np.uint8)
    bits = (random.random((min(128, batch), *image_shape)) < 0.5).astype(np.float32)
    np.savez(folder / "images.npz", x_train=pixels, x_test=pixels[:1])
    binarisation = "dynamic" if config.discrete else "none"
    train, _ = tfvae.data.load(folder / "images.npz", batch, binarisation, drop_remainder=True)
    return train, bits


def _jobs(
    vae: Any, train: tf.data.Dataset, images: np.ndarray, batch: int, settings: Workload
) -> dict[str, tuple[Callable[[], Any], int]]:
    """Name -> what to run, and how many images or samples that is."""
    steps, count = int(train.cardinality()), settings.num_samples
    products = model_products(vae, batch, len(images), count)
    return {
        "training": (lambda: vae.fit(train, verbose=0), steps * batch),
        "training products": (lambda: products["training"](steps), steps * batch),
        "evaluation": (
            lambda: vae.log_likelihood(images, num_samples=count, verbose=0),
            len(images) * count,
        ),
        "evaluation products": (lambda: products["evaluation"](1), len(images) * count),
        "sampling": (lambda: vae.sample(_CODES, seed=1).numpy(), _CODES),
        "sampling products": (lambda: products["sampling"](1), _CODES),
    }


def model_products(
    vae: Any, batch_size: int, num_images: int, num_samples: int
) -> dict[str, Products]:
    """What a compiled model multiplies, whatever it is made of.

    Args:
        vae: of one field, x.
        batch_size: of a step of training.
        num_images: of which one call estimates the likelihood.
        num_samples: K of that likelihood.

    Returns:
        `training`, of a step; `evaluation`, of the call; `sampling`, of 2,048 samples. Their
        networks are those of the encoder, the decoder, a flow, and of pseudo-inputs, too.
    """
    image = vae.decoder.event_shape
    chunk = chunk_size(num_samples, num_images, example_size(vae.fields()))

    def evaluate(images: tf.Tensor) -> Any:
        scalars = (tf.constant(number) for number in (0, 0, num_samples))
        return from_posterior(vae, {"x": images}, *scalars, chunk)

    def sample(seed: tf.Tensor) -> Any:
        return vae.decode(vae.generate(Noise(seed, row=tf.range(_CODES))), {})

    return {
        "training": Products(vae.train_step, tf.TensorSpec((batch_size, *image))),
        "evaluation": Products(
            evaluate,
            tf.TensorSpec((num_images, *image)),
            rounds=math.ceil(num_samples / chunk),
        ),
        "sampling": Products(sample, tf.TensorSpec((), tf.int32)),
    }


def rate(run: Callable[[], Any], count: int, seconds: float) -> Rate:
    """How many a second: `run`, which makes `count`, is repeated for so many seconds."""
    start, busy, done = time.perf_counter(), time.process_time(), 0
    while not done or time.perf_counter() - start < seconds:
        run()
        done += count
    return Rate(done / (time.perf_counter() - start), done / (time.process_time() - busy))


def _summary(unit: str, rates: dict[str, list[Rate]], name: str) -> dict[str, Any]:
    products = rates[f"{name} products"]
    pairs = list(zip(rates[name], products, strict=True))
    return {
        "unit": unit,
        "per_second": _median(rates[name]),
        "best_per_second": max(rate.wall for rate in rates[name]),
        "products_per_second": _median(products),
        "share_of_products": statistics.median(rate.wall / alone.wall for rate, alone in pairs),
        "share_by_processor_time": statistics.median(rate.cpu / alone.cpu for rate, alone in pairs),
    }


def _median(rates: list[Rate]) -> float:
    return statistics.median(rate.wall for rate in rates)


def _machine() -> dict[str, Any]:
    devices = tf.config.list_physical_devices("GPU")
    details = [tf.config.experimental.get_device_details(device) for device in devices]
    return {
        "cpus": os.cpu_count(),
        "accelerators": [detail.get("device_name", "unknown") for detail in details],
        **library_versions(),
    }


def _peak_accelerator_mb() -> int | None:
    if not accelerators():
        return None
    return round(tf.config.experimental.get_memory_info("GPU:0")["peak"] / (1 << 20))
