"""Random generators by (seed, role), so that what a cell draws depends on its seed only."""

import hashlib

import torch

ROLES = ("split", "init", "batch", "probe", "intervention")


def derived_seed(seed: int, role: str) -> int:
    """Derive a 63-bit seed for one role of one cell: the head of SHA-256 of "seed/role"."""
    if role not in ROLES:
        raise ValueError(f"role={role!r}: must be one of {', '.join(ROLES)}")
    return int.from_bytes(hashlib.sha256(f"{seed}/{role}".encode()).digest()[:8]) >> 1


def generator(seed: int, role: str) -> torch.Generator:
    """Build the CPU generator for one role of one cell; draws are made on the CPU, then moved."""
    return torch.Generator().manual_seed(derived_seed(seed, role))
