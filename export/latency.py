"""Latency of an export folder's SavedModels in this process, in plain TensorFlow.

    python export/latency.py export/mnist --batch-sizes 1 32 256 --json latency.json

For every signature and batch size: the best, the median and the 95th percentile of calls that come
one after another, and rows per second at the median. The best is what an idle machine would show.
Inputs are random; `sample` draws one image a row, `interpolate` takes 8 steps, `score` 64 latents,
`impute` one. Where an export has `anomaly`, its medians are shown beside those of `encode` plus
`decode`, of which a score is made: once the one, and the other for each of its draws.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import numpy as np
import tensorflow as tf

VALUES = {"num_samples": 1, "first": 0, "steps": 8, "seed": 7, "temperature": 1.0}
SCORE_SAMPLES = 64


def shape_of_images(loaded: dict) -> tuple[int, ...]:
    """The shape of what the signatures take as bytes; empty where none does."""
    signatures = [s for model in loaded.values() for s in model.signatures.values()]
    specs = [spec for s in signatures for spec in s.structured_input_signature[1].values()]
    return next((tuple(spec.shape[1:]) for spec in specs if spec.dtype == tf.uint8), ())


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
        elif key == "seen":
            value = np.ones(shape)  # a mask is no random number
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


def row(label: str, rows: int, times: list[float]) -> dict[str, object]:
    times, median = sorted(times), statistics.median(times)
    return {
        "signature": label,
        "batch": rows,
        "best_ms": 1e3 * times[0],
        "median_ms": 1e3 * median,
        "p95_ms": 1e3 * times[int(0.95 * (len(times) - 1))],
        "rows_per_second": rows / median,
        "calls": len(times),
    }


def table(directory: Path, batch_sizes: list[int], seconds: float) -> list[dict[str, object]]:
    names = [name for name in ("encoder", "decoder", "vae") if (directory / name).is_dir()]
    loaded = {name: tf.saved_model.load(str(latest(directory / name))) for name in names}
    image_shape = shape_of_images(loaded)
    found = []
    print(f"{'signature':28} {'batch':>5} {'best':>9} {'median':>9} {'p95':>9} ms {'rows/s':>9}")
    for servable, model in loaded.items():
        for name in sorted(set(model.signatures) - {"serving_default"}):
            for rows in batch_sizes:
                signature = model.signatures[name]
                request = inputs(signature, name, rows, image_shape)
                found.append(row(f"{servable}/{name}", rows, measure(signature, request, seconds)))
                print(
                    "{signature:28} {batch:5} {best_ms:9.3f} {median_ms:9.3f} {p95_ms:9.3f} "
                    "   {rows_per_second:9.0f}".format(**found[-1]),
                    flush=True,
                )
    return found


def beside_encode_and_decode(found: list[dict[str, object]]) -> list[str]:
    """Lines that hold the median of `anomaly` against those of `encode` plus `decode`."""
    medians = {(row["signature"], row["batch"]): row["median_ms"] for row in found}
    lines = []
    for (name, rows), anomaly in medians.items():
        parts = [medians.get((part, rows)) for part in ("encoder/encode", "decoder/decode")]
        if name == "vae/anomaly" and None not in parts:
            lines.append(
                f"anomaly of {rows:5} rows {anomaly:9.3f} ms, encode plus decode "
                f"{sum(parts):9.3f} ms: {anomaly / sum(parts):.2f} times"
            )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path, help="an export folder")
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[1, 32, 256])
    parser.add_argument("--seconds", type=float, default=1.0, help="per row of the table")
    parser.add_argument("--json", type=Path, help="write the table there as well")
    options = parser.parse_args()
    found = table(options.directory, options.batch_sizes, options.seconds)
    for line in beside_encode_and_decode(found):
        print(line)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
