"""How large a request and its answer may be."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds, each refused with an error before work starts.

    Args:
        body_bytes: of a request. 32 MiB hold about 2,000 MNIST images in JSON, 10,000 over gRPC.
        elements: numbers in one input, or in all outputs of an answer together: 64 MiB as float32.
            JSON takes about 20 bytes each.
        draws: rows times `num_samples` or `steps`. The exported graphs bound what they keep
            in memory; this bounds how long `score` computes: a minute for MNIST on two cores.
        request_seconds: from a request's first byte to its last.
        connections: open at once, over HTTP; further ones wait.
        calls: accepted at once, over gRPC; further ones are refused.
    """

    body_bytes: int = 32 * 2**20
    elements: int = 2**24
    draws: int = 2**20
    request_seconds: float = 30.0
    connections: int = 256
    calls: int = 256
