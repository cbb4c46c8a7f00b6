"""Calls larger than a request may be: cut into requests by rows, whose answers are joined.

Rows are independent, so the answer is that of one request, to the order of sums in a kernel.
"""

from collections.abc import Callable

import numpy as np

from tfvae.checks import positive_int
from tfvae.export.limits import MAX_FIRST, MAX_ROWS, MAX_SAMPLES_PER_ROW
from tfvae.serving.client.arguments import row_count
from tfvae.serving.json_tensors import NamedArrays

# What one request asks for at most, so that it is answered in seconds: numbers sent, which JSON
# writes in 20 bytes each, and draws.
MOST_NUMBERS = 2**18
DRAWS_A_REQUEST = MAX_ROWS * MAX_SAMPLES_PER_ROW

Send = Callable[[NamedArrays], NamedArrays]


def by_rows(call: Send, inputs: NamedArrays, draws: int = 1) -> NamedArrays:
    """What `call` answers for the inputs, of as many rows at a time as a request may have.

    Args:
        draws: what each row asks to be drawn.
    """
    rows = row_count(inputs)
    # Bytes take 4/3 of their number as base64.
    sizes = [sum(map(len, a)) // 15 if a.dtype == object else a.size for a in inputs.values()]
    of_numbers, of_draws = MOST_NUMBERS * rows // max(1, sum(sizes)), DRAWS_A_REQUEST // draws
    size = max(1, min(MAX_ROWS, of_numbers, of_draws))
    answers = [
        call({name: array[start : start + size] for name, array in inputs.items()})
        for start in range(0, rows, size)
    ]
    return {name: np.concatenate([answer[name] for answer in answers]) for name in answers[0]}


def by_draws(call: Send, inputs: NamedArrays, num_samples: int, seeds: np.ndarray) -> NamedArrays:
    """Draws `[B, num_samples, ...]` for the inputs `[B, ...]`, in several rows where one is full.

    A row holds the draws of its seed from number `first` on. A server that merges requests answers
    with as many as the largest of them asked for, of which a row's own are the first.
    """
    parts = -(-positive_int("num_samples", num_samples, maximum=MAX_FIRST) // MAX_SAMPLES_PER_ROW)
    each, rows = -(-num_samples // parts), len(seeds)
    spread = {name: np.repeat(array, parts, axis=0) for name, array in inputs.items()}
    spread["num_samples"] = np.full(rows * parts, each, np.int32)
    spread["first"] = np.tile(np.arange(parts, dtype=np.int32) * each, rows)
    spread["seed"] = np.repeat(seeds, parts)
    found = by_rows(lambda part: cut(call(part), each), spread, each)
    joined = {name: z.reshape(rows, parts * each, *z.shape[2:]) for name, z in found.items()}
    return cut(joined, num_samples)


def cut(answer: NamedArrays, length: int) -> NamedArrays:
    """The first entries of each row."""
    return {name: array[:, :length] for name, array in answer.items()}
