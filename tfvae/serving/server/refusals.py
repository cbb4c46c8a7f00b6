"""What a request gets instead of an answer, and the limits beyond which it does."""

import logging
from dataclasses import dataclass

LOGGER = logging.getLogger("tfvae.serving")


@dataclass(frozen=True)
class Limits:
    """Bounds, each refused with an error before work starts.

    Args:
        body_bytes: of a request. 32 MiB hold about 2,000 MNIST images in JSON, 10,000 over gRPC.
        elements: numbers in one input, or in all outputs of an answer together as far as their
            signature's shapes say: 64 MiB as float32. JSON takes about 20 bytes each.
        draws: rows times `num_samples` or `steps`. The exported graphs bound what they keep
            in memory; this bounds how long `score` computes: a minute for MNIST on two cores.
        request_seconds: for a request to arrive. An idle connection is closed after as long.
        calls: taken at once, by each of the two interfaces; further ones are refused.
    """

    body_bytes: int = 32 * 2**20
    elements: int = 2**24
    draws: int = 2**20
    request_seconds: float = 30.0
    calls: int = 256


class RefusedError(Exception):
    """A request that is answered with an error: a canonical code, and what the client reads."""

    def __init__(self, code: str, message: str):
        self.code = code
        # gRPC sends it as a header, and a client's input may be echoed in it.
        self.message = message if len(message) <= 1_000 else f"{message[:997]}..."
        super().__init__(self.message)


def invalid(message: str) -> RefusedError:
    """The most frequent refusal."""
    return RefusedError("INVALID_ARGUMENT", message)


def too_much(what: str, received: int, limit: int) -> RefusedError:
    """The refusal of what is larger than a limit."""
    message = f"{what}: {received}; this server allows {limit}: split the request"
    return RefusedError("RESOURCE_EXHAUSTED", message)


def refusal(error: Exception, request: str) -> RefusedError:
    """What a client is told of any error. A bug of ours is logged, with its traceback."""
    if isinstance(error, RefusedError):
        return error
    LOGGER.error("%s", request, exc_info=error)
    return RefusedError("INTERNAL", "internal error")
