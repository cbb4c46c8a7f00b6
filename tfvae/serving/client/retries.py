"""When a call is made again, and how long it waits before."""

import itertools
import random
import time
from collections.abc import Callable
from typing import TypeVar

from tfvae.serving.client.errors import DeadlineExceededError, UnavailableError

T = TypeVar("T")

FIRST_WAIT = 0.1
LONGEST_WAIT = 2.0


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


def with_retries(  # type: ignore[return]  # the loop has no end
    call: Callable[[Deadline], T], timeout: float, retries: int
) -> T:
    """Makes a call within `timeout` seconds, again, `retries` times, if it never reached a model.

    Every call is a pure function of its request, so repeating one is always correct; what it can
    do is harm a server in trouble. So only `UnavailableError` is retried (connection refused or
    reset before a reply, HTTP 503, gRPC UNAVAILABLE), which costs that server next to nothing. A
    timeout is not: the work it asked for may still be running. Other errors would come back.

    Waits grow exponentially and are drawn uniformly from zero on ("full jitter"), so that clients
    which failed together do not come back together:

        wait_k ~ Uniform(0, min(LONGEST_WAIT, FIRST_WAIT 2^k)),  k = 0, 1, ...

    References:
        M. Brooker 2015, Exponential Backoff And Jitter, AWS Architecture Blog.
    """
    deadline = Deadline(timeout)
    for attempt in itertools.count():
        try:
            return call(deadline)
        except UnavailableError:
            wait = random.uniform(0, min(LONGEST_WAIT, FIRST_WAIT * 2**attempt))
            if attempt == retries or wait >= deadline.remaining():
                raise
            time.sleep(wait)
