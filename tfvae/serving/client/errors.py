"""What a call to a model server can end with, typed, carrying the server's own message."""


class ServingError(RuntimeError):
    """A call that did not succeed.

    Args:
        message: what the server said, or what happened on the way to it.
        code: the canonical code, such as "INVALID_ARGUMENT", over REST and gRPC alike.
        status: the HTTP status; None over gRPC, or where no reply came.
    """

    def __init__(self, message: str, code: str = "UNKNOWN", status: int | None = None):
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class InvalidRequestError(ServingError, ValueError):
    """The server refused what was sent: wrong shape, type, name or number."""


class NotFoundError(ServingError, LookupError):
    """The server has no such model, or not in that version."""


class AccessError(ServingError):
    """The server, or a proxy before it, wants other credentials."""


class UnavailableError(ServingError):
    """Nobody answers, or the server asks to come back later: tried again, and still so."""


class DeadlineExceededError(ServingError, TimeoutError):
    """The call took longer than its timeout; it is not tried again."""


class ResourceExhaustedError(ServingError):
    """The request or its answer is larger than the server or the client allows."""


class UnsupportedError(ServingError, NotImplementedError):
    """The server does not know this kind of call."""


class MixedSetsError(ServingError):
    """The encoder, decoder and vae of a server are of several exports: their codes may not fit."""


class ServerError(ServingError):
    """The server failed on a request that may have been right."""


class ReplyError(ServingError):
    """A reply that is not TensorFlow Serving's: wrong address, a proxy's page, or cut off."""


_CLASSES = {
    "INVALID_ARGUMENT": InvalidRequestError,
    "FAILED_PRECONDITION": InvalidRequestError,
    "OUT_OF_RANGE": InvalidRequestError,
    "NOT_FOUND": NotFoundError,
    "PERMISSION_DENIED": AccessError,
    "UNAUTHENTICATED": AccessError,
    "UNAVAILABLE": UnavailableError,
    "DEADLINE_EXCEEDED": DeadlineExceededError,
    "RESOURCE_EXHAUSTED": ResourceExhaustedError,
    "UNIMPLEMENTED": UnsupportedError,
}


def of_code(code: str, message: str, status: int | None = None) -> ServingError:
    """The error of a canonical code."""
    return _CLASSES.get(code, ServerError)(message, code, status)
