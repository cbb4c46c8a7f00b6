"""What a client asks a transport for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from tfvae.serving.client.retries import Deadline

# A reply may hold this many bytes: 16,384 MNIST images over REST take 250 MB.
MAX_REPLY_BYTES = 512 * 2**20


@dataclass(frozen=True)
class Target:
    """A model on a server: its latest version, or one by number or by label.

    Args:
        model: the name it is served under.
        version: a number, or None.
        label: such as "stable", as configured on the server, or None.
    """

    model: str
    version: int | None = None
    label: str | None = None


class Transport(Protocol):
    """One way to reach a server."""

    def predict(
        self,
        target: Target,
        signature: str,
        inputs: Mapping[str, np.ndarray],
        output_name: str,
        deadline: Deadline,
    ) -> dict[str, np.ndarray]:
        """Calls a signature. `output_name` names an output that comes without a name."""

    def status(self, target: Target, deadline: Deadline) -> dict[int, str]:
        """Version -> state, such as "AVAILABLE"."""

    def metadata(self, target: Target, deadline: Deadline) -> dict[str, Any]:
        """The signatures as TensorFlow Serving's JSON has them."""

    def close(self) -> None:
        """Closes connections."""
