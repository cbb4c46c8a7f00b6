"""The canonical status codes, by the names that gRPC has for them, and HTTP's for the same.

References:
    `ToHTTPStatusCode` in tensorflow_serving/model_servers/http_server.cc
"""

_NAMES = {
    400: ("INVALID_ARGUMENT", "FAILED_PRECONDITION", "OUT_OF_RANGE"),
    401: ("UNAUTHENTICATED",),
    403: ("PERMISSION_DENIED",),
    404: ("NOT_FOUND",),
    409: ("ALREADY_EXISTS", "ABORTED"),
    429: ("RESOURCE_EXHAUSTED",),
    499: ("CANCELLED",),
    500: ("INTERNAL", "UNKNOWN", "DATA_LOSS"),
    501: ("UNIMPLEMENTED",),
    503: ("UNAVAILABLE",),
    504: ("DEADLINE_EXCEEDED",),
}
HTTP_STATUSES = {name: status for status, names in _NAMES.items() for name in names}
# What proxies and HTTP libraries answer themselves.
_OTHERS = {408: "DEADLINE_EXCEEDED", 413: "RESOURCE_EXHAUSTED"}


def from_http(status: int) -> str:
    """The canonical code of an HTTP status that is an error; of several names the first."""
    unknown = _OTHERS.get(status, "INTERNAL" if status >= 500 else "INVALID_ARGUMENT")
    return _NAMES.get(status, (unknown,))[0]
