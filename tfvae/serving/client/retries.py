"""When a call is made again, and how long it waits before."""

import time
from collections.abc import Callable
from typing import TypeVar

import tenacity

from tfvae.serving.client.errors import DeadlineExceededError, UnavailableError

T = TypeVar("T")

FIRST_WAIT, LONGEST_WAIT = 0.1, 2.0


class Deadline:
    """The moment, some seconds from now, by which a call must end, retries and waits included."""

    def __init__(self, seconds: float):
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds that are left; raises `DeadlineExceededError` if none are."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise self.exceeded()
        return left

    def exceeded(self) -> DeadlineExceededError:
        """The error to raise when the time is over."""
        return DeadlineExceededError(
            f"no complete reply within {self.seconds:g} s. Send fewer rows or samples in one "
            "request, or give the client a longer timeout.",
            "DEADLINE_EXCEEDED",
        )


def with_retries(call: Callable[[Deadline], T], timeout: float, retries: int) -> T:
    """Makes a call within `timeout` seconds, again, `retries` times, if it never reached a model.

    Every call is a pure function of its request, so repeating one is always correct; what it can
    do is harm a server in trouble. So only `UnavailableError` is retried (connection refused or
    reset before a reply, HTTP 503, gRPC UNAVAILABLE), which costs that server next to nothing. A
    timeout is not: the work it asked for may still be running. Other errors would come back.
    Waits before attempt k are uniform from 0 to FIRST_WAIT 2^k, LONGEST_WAIT at most.
    """
    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(UnavailableError),
        wait=tenacity.wait_random_exponential(multiplier=FIRST_WAIT, max=LONGEST_WAIT),
        stop=tenacity.stop_after_attempt(retries + 1) | tenacity.stop_before_delay(timeout),
        reraise=True,
    )(call, Deadline(timeout))
