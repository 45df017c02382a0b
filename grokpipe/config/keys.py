"""Keys of cells: stable hashes of scientific configuration and data."""

import hashlib
import json
from typing import Any

SCHEMA_VERSION = 1  # increment only when the same configuration comes to mean another run


def key_of(values: dict[str, Any], fingerprint: str) -> str:
    """Hash scientific configuration, data fingerprint and schema version.

    The resolved values are hashed, not their difference from the defaults, so that changing a
    default changes the key.

    Args:
        values: the nested scientific values, resolved.
        fingerprint: of the raw data.

    Returns:
        16 hexadecimal digits of SHA-256.
    """
    identity = {"schema": SCHEMA_VERSION, "data": fingerprint, "config": values}
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
