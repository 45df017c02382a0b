"""Divide groups of equal cells into packs that end together on a number of slots."""

import heapq
from collections.abc import Sequence

WORTH = 0.01  # share of the time that further packs must save: each is compiled by itself
TRIED = 8  # groups of the longest packs, of which one may be cut further


def makespan(lengths: Sequence[float], slots: int) -> float:
    """Time until all packs have ended, if each slot takes the longest pack that is left.

    With the longest first this is at most 4/3 − 1/(3 slots) times the shortest possible (Graham
    1969).
    """
    ends = [0.0] * slots
    for length in sorted(lengths, reverse=True):
        heapq.heapreplace(ends, ends[0] + length)
    return max(ends)


def part_sizes(count: int, parts: int) -> list[int]:
    """Sizes of `parts` parts of `count` cells, which differ by one at most."""
    return [count // parts + (i < count % parts) for i in range(parts)]


def pack_counts(
    sizes: Sequence[int], costs: Sequence[float], fewest: Sequence[int], slots: int
) -> list[int]:
    """Number of packs for each group, at least the `fewest` that its width allows.

    One group, which alone fills the slots, gets a multiple of them. Beside others a group gets
    further packs while that ends the whole sooner.

    Args:
        sizes: number of cells of each group.
        costs: time that one of its cells takes, in any unit.
        fewest: number of packs of each group at the largest width.
        slots: packs that train at the same time.
    """
    most = [min(n, -(-least // slots) * slots) for n, least in zip(sizes, fewest, strict=True)]
    if len(sizes) == 1:
        return most
    counts = [*fewest]

    def ends(counts: Sequence[int]) -> float:
        lengths = [
            cost * size
            for n, cost, parts in zip(sizes, costs, counts, strict=True)
            for size in part_sizes(n, parts)
        ]
        return makespan(lengths, slots)

    now = ends(counts)
    ideal = sum(n * cost for n, cost in zip(sizes, costs, strict=True)) / slots
    while now > ideal * (1 + WORTH):
        longest = sorted(range(len(sizes)), key=lambda i: -costs[i] * sizes[i] / counts[i])
        tried = [
            (ends([*counts[:i], more, *counts[i + 1 :]]), more, i)
            for i in longest[:TRIED]
            for more in range(counts[i] + 1, most[i] + 1)
        ]
        best = min(tried, default=None)
        if best is None or best[0] >= now * (1 - WORTH):
            break
        now, counts[best[2]] = best[0], best[1]
    return counts
