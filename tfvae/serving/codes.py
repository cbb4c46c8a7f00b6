"""The canonical status codes, by name, with what gRPC and HTTP call them.

References:
    google/rpc/code.proto; `ToHTTPStatusCode` in tensorflow_serving/model_servers/http_server.cc
"""

_CODES = {  # name: gRPC's number, and the HTTP status that TensorFlow Serving answers
    "CANCELLED": (1, 499),
    "UNKNOWN": (2, 500),
    "INVALID_ARGUMENT": (3, 400),
    "DEADLINE_EXCEEDED": (4, 504),
    "NOT_FOUND": (5, 404),
    "ALREADY_EXISTS": (6, 409),
    "PERMISSION_DENIED": (7, 403),
    "RESOURCE_EXHAUSTED": (8, 429),
    "FAILED_PRECONDITION": (9, 400),
    "ABORTED": (10, 409),
    "OUT_OF_RANGE": (11, 400),
    "UNIMPLEMENTED": (12, 501),
    "INTERNAL": (13, 500),
    "UNAVAILABLE": (14, 503),
    "DATA_LOSS": (15, 500),
    "UNAUTHENTICATED": (16, 401),
}
HTTP_STATUSES = {name: status for name, (_, status) in _CODES.items()}
_NAMES = {number: name for name, (number, _) in _CODES.items()}

# The way back, with what proxies and HTTP libraries answer themselves. Of several names for a
# status the first one counts.
_FROM_HTTP = {
    **{status: name for name, status in reversed(HTTP_STATUSES.items())},
    408: "DEADLINE_EXCEEDED",
    413: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
}


def from_grpc(number: int) -> str:
    """The name of a code that gRPC, or TensorFlow, has by number."""
    return _NAMES.get(number, "UNKNOWN")


def from_http(status: int) -> str:
    """The canonical code of an HTTP status that is an error."""
    return _FROM_HTTP.get(status, "INTERNAL" if status >= 500 else "INVALID_ARGUMENT")
