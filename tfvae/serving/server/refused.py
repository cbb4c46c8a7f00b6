"""The one exception for requests that get an error instead of an answer."""


class RefusedError(Exception):
    """A request that is answered with an error.

    Args:
        code: the canonical code's name, such as "INVALID_ARGUMENT".
        message: what the client reads.
    """

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code
        self.message = shortened(message)


def invalid(message: str) -> RefusedError:
    """The most frequent refusal."""
    return RefusedError("INVALID_ARGUMENT", message)


def shortened(message: str, length: int = 1_000) -> str:
    """Short enough for gRPC, which sends it as a header: a client's input may be echoed in it."""
    return message if len(message) <= length else f"{message[: length - 3]}..."
