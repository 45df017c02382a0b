"""Packs that end together, held to the best of all ways to cut and to place them."""

from itertools import product

import pytest

from grokpipe.launch.balance import makespan, pack_counts, part_sizes


def shortest(lengths: list[float], slots: int) -> float:
    """The least time, over every way to give the packs to the slots."""
    return min(
        max(sum(length for length, s in zip(lengths, places) if s == slot) for slot in range(slots))
        for places in product(range(slots), repeat=len(lengths))
    )


def lengths(sizes: list[int], costs: list[float], counts: list[int]) -> list[float]:
    parts = zip(sizes, costs, counts)
    return [cost * size for n, cost, count in parts for size in part_sizes(n, count)]


def best(sizes: list[int], costs: list[float], fewest: list[int], slots: int) -> float:
    """The least time over all numbers of packs too, up to a multiple of the slots each."""
    most = [min(n, -(-k // slots) * slots) for n, k in zip(sizes, fewest)]
    return min(
        shortest(lengths(sizes, costs, [*counts]), slots)
        for counts in product(*(range(k, m + 1) for k, m in zip(fewest, most)))
    )


@pytest.mark.parametrize(
    "cells, width, slots, expected",
    [
        (30, 10, 2, [8, 8, 7, 7]), (30, 15, 2, [15, 15]), (20, 10, 2, [10, 10]),
        (11, 10, 2, [6, 5]), (5, 3, 4, [2, 1, 1, 1]), (3, 1, 4, [1, 1, 1]), (30, 10, 1, [10] * 3),
        (40, 10, 3, [7, 7, 7, 7, 6, 6]),
    ],
)  # fmt: skip
def test_equal_cells_are_cut_into_a_multiple_of_the_slots(cells, width, slots, expected) -> None:
    (count,) = pack_counts([cells], [1.0], [-(-cells // width)], slots)
    sizes = part_sizes(cells, count)
    assert sizes == expected and sum(sizes) == cells
    assert count % slots == 0 or count == cells
    if slots**count < 10**4:
        assert makespan(sizes, slots) == best([cells], [1.0], [-(-cells // width)], slots)


@pytest.mark.parametrize(
    "sizes, costs, slots",
    [
        ([6, 3], [1.0, 5.0], 2), ([5, 5, 5], [1.0, 1.0, 1.0], 2), ([4, 1], [1.0, 9.0], 3),
        ([7, 2, 2], [3.0, 1.0, 4.0], 2), ([3, 3], [2.0, 2.5], 3), ([1, 1, 1, 1], [4, 3, 2, 1], 2),
    ],
)  # fmt: skip
def test_groups_of_several_costs_end_nearly_as_soon_as_can_be(sizes, costs, slots) -> None:
    fewest = [-(-n // 3) for n in sizes]
    counts = pack_counts(sizes, costs, fewest, slots)
    assert all(least <= count <= n for least, count, n in zip(fewest, counts, sizes))
    took = makespan(lengths(sizes, costs, counts), slots)
    assert best(sizes, costs, fewest, slots) <= took
    assert took <= (4 / 3 - 1 / (3 * slots)) * best(sizes, costs, fewest, slots)  # Graham 1969


def test_groups_that_end_together_already_are_not_cut_further() -> None:
    """Each further pack is compiled by itself."""
    assert pack_counts([3] * 20, [1.0] * 20, [1] * 20, slots=2) == [1] * 20
    assert pack_counts([10, 5], [1.0, 2.0], [1, 1], slots=2) == [1, 1]


def test_the_longest_pack_is_taken_first() -> None:
    assert makespan([1, 1, 2], 2) == 2  # in the order given it would be 3
    assert makespan([3, 3, 2, 2, 2], 2) == 7  # the best is 6: the bound of Graham is 7
