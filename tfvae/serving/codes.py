"""The canonical status codes, by the names that gRPC has for them, and HTTP's for the same.

References:
    `ToHTTPStatusCode` in tensorflow_serving/model_servers/http_server.cc
"""

HTTP_STATUSES = {
    "CANCELLED": 499,
    "UNKNOWN": 500,
    "INVALID_ARGUMENT": 400,
    "DEADLINE_EXCEEDED": 504,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "PERMISSION_DENIED": 403,
    "RESOURCE_EXHAUSTED": 429,
    "FAILED_PRECONDITION": 400,
    "ABORTED": 409,
    "OUT_OF_RANGE": 400,
    "UNIMPLEMENTED": 501,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DATA_LOSS": 500,
    "UNAUTHENTICATED": 401,
}
# The way back, with what proxies and HTTP libraries answer themselves. Of several names for a
# status the first one counts.
_NAMES = {status: name for name, status in reversed(HTTP_STATUSES.items())}
_NAMES |= {408: "DEADLINE_EXCEEDED", 413: "RESOURCE_EXHAUSTED", 500: "INTERNAL"}


def from_http(status: int) -> str:
    """The canonical code of an HTTP status that is an error."""
    return _NAMES.get(status, "INTERNAL" if status >= 500 else "INVALID_ARGUMENT")
