"""The steps at which a run is evaluated, and those of them at which its weights are kept."""

import re
from collections.abc import Sequence

import numpy as np

from grokpipe.errors import InputError


def evaluation_steps(schedule: str, every: int | None, steps: int) -> list[int]:
    """The steps at which a run is evaluated, ascending; `steps` is always the last.

    `published`: every step below 30, every 10 below 150, then every steps // 150 (Sakamoto & Sato,
    released code: 192 points for 100,000 steps, before the last); a run below 150 steps has no
    third part. `regular`: every `every` steps, from 0 on.
    """
    if schedule == "published":
        points = {*range(min(30, steps)), *range(30, min(150, steps), 10)}
        if steps >= 150:
            points |= {step for step in range(0, steps, steps // 150) if step >= 150}
    else:
        assert every is not None
        points = set(range(0, steps, every))
    return sorted(points | {steps})


def snapshot_count(text: str) -> int:
    """`log:30` → 30. Raises InputError for anything else, and below 2."""
    match = re.fullmatch(r"log:(\d+)", text, flags=re.ASCII)
    if match is None or int(match[1]) < 2:
        raise InputError(f"snapshots={text}: must be null or log:N, N ≥ 2")
    return int(match[1])


def spaced_steps(count: int, schedule: Sequence[int]) -> list[int]:
    """Which steps of `schedule`, the evaluations' in ascending order from 0 on, are kept: `count`,
    or fewer where evaluations are too sparse.

    Step 0, the last one, and between the first positive one and the last as many as are left,
    evenly spaced in the logarithm, each moved to the nearest evaluation.
    """
    positive = [step for step in schedule if step > 0]
    spaced = np.geomspace(positive[-1], positive[0], count - 1)
    nearest = (min(positive, key=lambda step: abs(step - target)) for target in spaced)
    return sorted({0, *nearest})
