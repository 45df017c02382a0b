"""Generators by (seed, role), so that nothing a cell draws depends on anything but its seed."""

import hashlib

import torch

ROLES = ("split", "init", "batch", "probe", "intervention")


def derived_seed(seed: int, role: str) -> int:
    """A 63-bit seed for one role of one cell: the head of SHA-256 of "seed/role"."""
    if role not in ROLES:
        raise ValueError(f"role={role!r}: must be one of {', '.join(ROLES)}")
    return int.from_bytes(hashlib.sha256(f"{seed}/{role}".encode()).digest()[:8]) >> 1


def generator(seed: int, role: str) -> torch.Generator:
    """A CPU generator for one role of one cell; draws are moved to the device, never made there."""
    return torch.Generator().manual_seed(derived_seed(seed, role))
