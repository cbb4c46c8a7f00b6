"""What a request gets instead of an answer, and the limits beyond which it does."""

import logging
from dataclasses import dataclass

LOGGER = logging.getLogger("tfvae.serving")


@dataclass(frozen=True)
class Limits:
    """Bounds, beyond which a request is refused.

    Args:
        body_bytes: of a request: a few times 256 MNIST images in JSON, which may take 40 times as
            much memory while it is read.
        elements: numbers in one input, or in all outputs of an answer together: 64 MiB as float32,
            and about 20 bytes each in JSON. What is computed is for the exported graph to bound.
        request_seconds: for a request to arrive. An idle connection is closed after as long.
        calls: taken at once, by each of the two interfaces; further ones are refused.
    """

    body_bytes: int = 8 * 2**20
    elements: int = 2**24
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


def told(error: Exception, request: str) -> tuple[str, str]:
    """The code and the message that a client gets for any error. A bug of ours is logged.

    Not the error itself: in a variable it would keep its traceback, and so the request, in memory
    until the cycle is found.
    """
    if isinstance(error, RefusedError):
        return error.code, error.message
    LOGGER.error("%s", request, exc_info=error)
    return "INTERNAL", "internal error"
