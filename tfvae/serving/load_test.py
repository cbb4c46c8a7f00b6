"""Latency and load of a model server on this machine, measured through the client.

    tfvae serve export/mnist
    python -m tfvae.serving.load_test http://127.0.0.1:8501 grpc://127.0.0.1:8500

For each address: the median and 95th percentile of calls one after another at several batch sizes,
then requests per second with many clients at once, and how many of them failed. The clients take
their share of the machine's cores, so the numbers are of both sides together.
"""

import argparse
import json
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable
from urllib.parse import urlsplit

import numpy as np

from tfvae.serving.client.client import Client
from tfvae.serving.client.errors import ServingError

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def latencies(call: Callable[[], object], seconds: float) -> list[float]:
    """Milliseconds of calls one after another, at least ten."""
    for _ in range(3):
        call()
    times, end = [], time.perf_counter() + seconds
    while len(times) < 10 or time.perf_counter() < end:
        start = time.perf_counter()
        call()
        times.append(1e3 * (time.perf_counter() - start))
    return times


def held(url: str, clients: int, seconds: float, seed: int = 0) -> dict[str, float]:
    """Requests per second of clients that call at once, each in turn: encode, decode, sample.

    Args:
        url: the server's address.
        clients: how many at once, each with a connection of its own.
        seconds: how long.
        seed: of the images.

    Returns:
        `requests`, `errors`, `requests_per_second`, and of the answered ones `median_ms`,
        `p95_ms`, `longest_ms`.
    """
    shape = image_shape(url)
    with Client(url) as first:
        codes = first.encode(np.zeros((1, *shape), np.float32))["mean"]
    times: list[float] = []
    errors: Counter[str] = Counter()
    end = time.perf_counter() + seconds

    def work(index: int) -> None:
        images = np.random.default_rng([seed, index]).random((1, *shape), np.float32)
        with Client(url, retries=0) as client:
            calls = [
                lambda: client.encode(images),
                lambda: client.decode(codes),
                lambda: client.sample(1, seed=index),
            ]
            turn = index
            while time.perf_counter() < end:
                start = time.perf_counter()
                try:
                    calls[turn % len(calls)]()
                    times.append(1e3 * (time.perf_counter() - start))
                except ServingError as error:
                    errors[str(error)] += 1
                turn += 1

    threads = [threading.Thread(target=work, args=(index,)) for index in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for message, count in errors.most_common(3):
        print(f"  {count} x {message}")
    return {
        "clients": clients,
        "requests": len(times),
        "errors": sum(errors.values()),
        "requests_per_second": len(times) / (time.perf_counter() - began),
        **(summary(times) if times else {}),
    }


def image_shape(url: str) -> list[int]:
    """The height, width and channels of the images that a server's model takes."""
    with Client(url) as client:
        inputs = client.metadata("encoder")["encode"]["inputs"]["images"]
    return [int(dim["size"]) for dim in inputs["tensor_shape"]["dim"]][1:]


def summary(times: list[float]) -> dict[str, float]:
    """Median, 95th percentile and maximum."""
    return {
        "median_ms": statistics.median(times),
        "p95_ms": float(np.percentile(times, 95)),
        "longest_ms": max(times),
    }


def measured(url: str, batch_sizes: list[int], seconds: float) -> list[dict]:
    """Latencies of encode, decode and reconstruct, printed as they come."""
    shape, rows = image_shape(url), []
    with Client(url) as client:
        for size in batch_sizes:
            images = np.random.default_rng(0).random((size, *shape), np.float32)
            pixels = np.round(images * 255).astype(np.uint8)
            z = client.encode(images)["mean"]
            calls = {
                "encode": lambda images=images: client.encode(images),
                "encode_uint8": lambda pixels=pixels: client.encode(pixels),
                "decode": lambda z=z: client.decode(z),
                "reconstruct": lambda images=images: client.reconstruct(images),
            }
            for name, call in calls.items():
                found = summary(latencies(call, seconds))
                rows.append({"url": url, "call": name, "batch": size, **found})
                print(
                    f"{urlsplit(url).scheme:5} {name:13} batch {size:4d}: median "
                    f"{found['median_ms']:8.2f} ms, 95 % below {found['p95_ms']:8.2f} ms"
                )
    return rows


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tfvae.serving.load_test", description=__doc__.splitlines()[0]
    )
    parser.add_argument("urls", nargs="+", metavar="URL")
    parser.add_argument("--batch-sizes", type=int, nargs="*", default=[1, 32, 256])
    parser.add_argument("--latency-seconds", type=float, default=2.0)
    parser.add_argument("--clients", type=int, default=16, choices=range(1, 257), metavar="1..256")
    parser.add_argument("--seconds", type=float, default=60.0, help="of load; 0 for none")
    parser.add_argument("--json", help="write the numbers here")
    given = parser.parse_args()
    for url in given.urls:
        if urlsplit(url).hostname not in LOOPBACK:
            parser.error(f"{url} is another machine; this puts load on its own machine only")
    report = {"latency": [], "load": []}
    for url in given.urls:
        report["latency"] += measured(url, given.batch_sizes, given.latency_seconds)
    for url in given.urls if given.seconds > 0 else []:
        load = held(url, given.clients, min(given.seconds, 600.0))
        report["load"].append({"url": url, **load})
        print(url, json.dumps({name: round(value, 2) for name, value in load.items()}))
    if given.json:
        with open(given.json, "w", encoding="utf-8") as file:
            json.dump(report, file, indent=1)


if __name__ == "__main__":
    main()
