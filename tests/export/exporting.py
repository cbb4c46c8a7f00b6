"""Run by `test_reproducible.py`: exports a saved model, with or without a past of its own."""

import sys
from pathlib import Path

import numpy as np

import tfvae
from tests.export.conftest import IMAGE_SHAPE, tiny_vae
from tests.export.made import MADE
from tfvae.export.saved_models import verify
from tfvae.export.saved_models.export import write
from tfvae.export.servables.vae import VAEServable


def main(saved, directory, first):
    verify.compare = lambda *arguments: {}  # tested elsewhere, and takes a process
    images = np.random.default_rng(3).random((40, *IMAGE_SHAPE)).astype("float32")
    if first == "files":  # and after another model has been made, traced and written
        write(VAEServable(tiny_vae(5)), directory / "other", MADE, (1,))
    model = tfvae.load_model(saved)
    exports = {
        "files": lambda: tfvae.export.tflite(
            model,
            directory / "tiny",
            ("float32", "float16", "dynamic", "int8"),
            data=images,
            calibration=images,
            max_nll_change=100.0,
            browser_samples=2,
        ),
        "servables": lambda: tfvae.export.saved_model(model, directory / "tiny"),
    }
    for name in (first, *(exports.keys() - {first})):
        exports[name]()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
