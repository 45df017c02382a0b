"""The key of a cell: a stable hash of its scientific configuration and its data."""

import hashlib
import json
from typing import Any

SCHEMA_VERSION = 1  # raise it only when the same configuration comes to mean another run


def key_of(values: dict[str, Any], fingerprint: str) -> str:
    """16 hexadecimal digits of SHA-256 over scientific configuration, data and schema version.

    The resolved values are hashed, not their difference from the defaults: an edited default is
    another key.
    """
    identity = {"schema": SCHEMA_VERSION, "data": fingerprint, "config": values}
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
