"""What a sum over labels costs beside a label that is seen: `python -m tests.benchmark.labels`.

Steps of `mnist-semi-supervised`, ten classes enumerated, beside steps of `mnist-conditional`, the
same encoder and decoder (batch 128, random images), through `fit`, in turns in one process. The
semi-supervised model has a classifier besides. For each a line says how many images it takes in a
second of a processor, what share of that time its matrix products alone take, and how many times as
long an image takes as in the conditional model, medians over the rounds of ratios within one round;
and how many times as many numbers it multiplies.
"""

import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np

import tfvae
from tfvae import presets
from tfvae.benchmark.measure import rate
from tfvae.benchmark.products import Products
from tfvae.settings import building

BATCH_SIZE, STEPS, SECONDS, CLASSES, SHAPE = 128, 50, 2.0, 10, (28, 28, 1)
PRESETS = ("mnist-conditional", "mnist-semi-supervised")


def data(folder):
    """Random images with random labels, of which a semi-supervised model hides all but 100."""
    random, count = np.random.default_rng(0), STEPS * BATCH_SIZE
    pixels = random.integers(0, 256, (count, *SHAPE), np.uint8)
    label = np.arange(count) % CLASSES
    path = Path(folder) / "images.npz"
    np.savez(path, x_train=pixels, label_train=label, x_test=pixels[:10], label_test=label[:10])
    return path


def training(name, path):
    """Returns what runs an epoch of a preset, and the matrix products of one of its steps."""
    settings = presets.get(name, latent_size=50, corruption=None)  # the same networks
    options = {"fields": ("x", "label"), "labels": settings["labels"]}
    train, _ = tfvae.data.load(path, BATCH_SIZE, "dynamic", drop_remainder=True, **options)
    model = settings.model(SHAPE, {"label": tfvae.Field.label(CLASSES)})
    model.compile(building.optimizer(settings, 10_000, **settings.group("optimizer")))
    model.fit(train, verbose=0)
    products = Products(model.train_step, train.element_spec)
    return lambda: model.fit(train, verbose=0), products


def main(rounds="5"):
    """Prints the table."""
    with tempfile.TemporaryDirectory() as folder:
        jobs = {name: training(name, data(folder)) for name in PRESETS}
    count, turns = STEPS * BATCH_SIZE, []
    for _ in range(int(rounds)):
        turns.append({})
        for name, (run, products) in jobs.items():
            runs = run, lambda products=products: products(STEPS)
            turns[-1][name] = [rate(each, count, SECONDS).cpu for each in runs]
    numbers = {name: products.multiplications for name, (_, products) in jobs.items()}
    for name in PRESETS:
        images = statistics.median(turn[name][0] for turn in turns)
        share = statistics.median(turn[name][0] / turn[name][1] for turn in turns)
        ratio = statistics.median(turn[PRESETS[0]][0] / turn[name][0] for turn in turns)
        more = numbers[name] / numbers[PRESETS[0]]
        print(
            f"{name:24}{images:10,.0f} images/s{share:6.0%} products{ratio:6.2f} times as long"
            f"{more:6.2f} times the multiplications"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
