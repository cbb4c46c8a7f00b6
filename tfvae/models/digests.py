"""Whether a configuration is the one that was saved.

Keras numbers what stands in a configuration more than once, by addresses in memory, which are
other ones each time. They are no part of a digest, and looked at on their own.
"""

import hashlib
import json
from typing import Any

from tfvae.errors import UserError

_NUMBER = "shared_object_id"


def config_digest(config: Any) -> bytes:
    """SHA-256 of a configuration: of what is in it, and not of how its text is written."""
    return hashlib.sha256(_text(json.loads(json.dumps(config))).encode()).digest()


def check_shared(config: Any) -> None:
    """Refuses a configuration that has two things under one number: Keras would make one of them.

    Raises:
        UserError: names the number.
    """
    described: dict[str, str] = {}
    parts = [config]
    while parts:
        part = parts.pop()
        parts += part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        if isinstance(part, dict) and _NUMBER in part:
            number = json.dumps(part[_NUMBER])
            if described.setdefault(number, _text(part)) != _text(part):
                raise UserError(f"two things in its configuration have the number {number}")


def _text(config: Any) -> str:
    return json.dumps(_without_numbers(config), sort_keys=True)


def _without_numbers(config: Any) -> Any:
    if isinstance(config, dict):
        return {name: _without_numbers(v) for name, v in config.items() if name != _NUMBER}
    return [_without_numbers(part) for part in config] if isinstance(config, list) else config
