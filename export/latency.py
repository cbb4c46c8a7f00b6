"""Latency of an export folder's SavedModels in this process, in plain TensorFlow.

    python export/latency.py export/mnist --batch-sizes 1 32 256 --json latency.json

For every signature and batch size: the median, the 95th percentile and rows per second of calls
that come one after another. Inputs are random; `sample` draws one image a row, `score` 64 latents.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import numpy as np
import tensorflow as tf

VALUES = {"num_samples": 1, "steps": 8, "seed": 7, "temperature": 1.0}
SCORE_SAMPLES = 64


def latest(folder: Path) -> Path:
    return max(
        (path for path in folder.iterdir() if path.name.isdigit()), key=lambda p: int(p.name)
    )


def inputs(signature, name: str, rows: int, image_shape: tuple[int, ...]) -> dict[str, tf.Tensor]:
    generator, tensors = np.random.default_rng(0), {}
    for key, spec in signature.structured_input_signature[1].items():
        shape = (rows, *spec.shape[1:])
        if key == "num_samples" and name.startswith("score"):
            value = np.full(shape, SCORE_SAMPLES)
        elif key in VALUES:
            value = np.full(shape, VALUES[key])
        elif spec.dtype == tf.string:
            pixels = generator.integers(0, 256, (rows, *image_shape), np.uint8)
            value = [tf.io.encode_png(image).numpy() for image in pixels]
        else:
            value = generator.random(shape) * (255 if spec.dtype == tf.uint8 else 1)
        tensors[key] = tf.constant(
            value if spec.dtype == tf.string else value.astype(spec.dtype.as_numpy_dtype)
        )
    return tensors


def measure(signature, request: dict[str, tf.Tensor], seconds: float) -> list[float]:
    for _ in range(3):
        signature(**request)
    times, end = [], time.perf_counter() + seconds
    while len(times) < 10 or time.perf_counter() < end:
        start = time.perf_counter()
        outputs = signature(**request)
        for value in outputs.values():
            value.numpy()
        times.append(time.perf_counter() - start)
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path, help="an export folder")
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[1, 32, 256])
    parser.add_argument("--seconds", type=float, default=1.0, help="per row of the table")
    parser.add_argument("--json", type=Path, help="write the table there as well")
    options = parser.parse_args()
    loaded = {
        path.name: tf.saved_model.load(str(latest(path)))
        for path in sorted(options.directory.iterdir())
        if path.name in ("encoder", "decoder", "vae")
    }
    spec = loaded["encoder"].signatures["encode"].structured_input_signature[1]["images"]
    table = []
    print(f"{'signature':32} {'batch':>5} {'median ms':>10} {'p95 ms':>8} {'rows/s':>9}")
    for servable, model in loaded.items():
        for name, signature in sorted(model.signatures.items()):
            if name == "serving_default":
                continue
            for rows in options.batch_sizes:
                request = inputs(signature, name, rows, tuple(spec.shape[1:]))
                times = sorted(measure(signature, request, options.seconds))
                row = {
                    "signature": f"{servable}/{name}",
                    "batch": rows,
                    "median_ms": 1e3 * statistics.median(times),
                    "p95_ms": 1e3 * times[int(0.95 * (len(times) - 1))],
                    "rows_per_second": rows / statistics.median(times),
                    "calls": len(times),
                }
                table.append(row)
                print(
                    f"{row['signature']:32} {rows:5} {row['median_ms']:10.3f} {row['p95_ms']:8.3f} "
                    f"{row['rows_per_second']:9.0f}",
                    flush=True,
                )
    if options.json:
        options.json.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
