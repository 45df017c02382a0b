"""Generators by seed and role, by their definition."""

import hashlib

import pytest
import torch

from grokpipe import randomness


def test_a_seed_is_the_head_of_sha_256() -> None:
    for seed, role in ((0, "init"), (7, "batch"), (2**40, "split")):
        head = hashlib.sha256(f"{seed}/{role}".encode()).hexdigest()[:16]
        assert randomness.derived_seed(seed, role) == int(head, 16) // 2


def test_seeds_and_roles_draw_numbers_of_their_own() -> None:
    draws = {
        tuple(torch.randint(2**62, (4,), generator=randomness.generator(seed, role)).tolist())
        for seed in range(20)
        for role in randomness.ROLES
    }
    assert len(draws) == 20 * len(randomness.ROLES)


def test_the_global_generator_is_left_alone() -> None:
    before = torch.get_rng_state()
    torch.rand(3, generator=randomness.generator(1, "probe"))
    assert torch.equal(torch.get_rng_state(), before)


def test_an_unknown_role() -> None:
    with pytest.raises(ValueError, match="role='dropout': must be one of split, init"):
        randomness.derived_seed(0, "dropout")
