"""Which exported set a server answers from: what the signature `about` of its servables says."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tfvae.serving.client.connection import MODELS, Connection
from tfvae.serving.client.errors import MixedSetsError, NotFoundError, ReplyError


@dataclass(frozen=True)
class ServedSet:
    """An exported set that is being served; its `manifest.json` says the same.

    Args:
        name: of the export folder, such as "mnist".
        version: the number that its servables share.
        weights: SHA-256 of the model's weights, in hexadecimal digits.
        models: those of "encoder", "decoder" and "vae" that the server has.
    """

    name: str
    version: int
    weights: str
    models: Sequence[str]


def served_set(connection: Connection) -> ServedSet:
    """The set that all models of a server are of.

    Raises:
        MixedSetsError: if they are of several, as while the server changes versions.
        NotFoundError: if the server has none of them.
        ServingError: if one can't be asked.
    """
    found: dict[str, tuple[str, int, str]] = {}
    for model in MODELS:
        with contextlib.suppress(NotFoundError):
            found[model] = _told(connection, model)
    if not found:
        raise NotFoundError(f"the server has none of {', '.join(MODELS)}", "NOT_FOUND")
    if len(set(found.values())) > 1:
        listed = ", ".join(
            f"{model} is of {name} {version} ({weights[:12]})"
            for model, (name, version, weights) in found.items()
        )
        raise MixedSetsError(
            f"the server's models are of several sets: {listed}. If it is changing versions, ask "
            "again; else name a version or a label.",
            "FAILED_PRECONDITION",
        )
    return ServedSet(*next(iter(found.values())), models=tuple(found))


def _told(connection: Connection, model: str) -> tuple[str, int, str]:
    told = connection.predict(model, "about", {"row": np.zeros(1, np.int32)})
    try:
        name, weights = (told[key][0].decode() for key in ("name", "weights"))
        return name, int(told["version"][0]), weights
    except (LookupError, AttributeError, ValueError) as error:
        raise ReplyError(f"{model} does not say which set it is of: {error!r}") from error
