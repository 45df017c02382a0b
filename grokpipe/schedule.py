"""Schedules: the steps at which a run is evaluated, and at which its weights are kept."""

import re
from collections.abc import Sequence

from grokpipe.errors import InputError


def evaluation_steps(
    schedule: str, every: int | None, steps: int, budget: int | None = None
) -> list[int]:
    """Steps at which a run of `steps` steps is evaluated, ascending; the last is `steps`.

    `published`: every step below 30, every 10 below 150, then every budget // 150 (Sakamoto & Sato,
    released code: 192 points before the last for 100,000 steps), where `budget` is `steps` if None;
    a run below 150 steps has no third part. `regular`: every `every` steps, from 0.
    """
    if schedule == "published":
        points = {*range(min(30, steps)), *range(30, min(150, steps), 10)}
        if steps >= 150:
            spacing = (budget or steps) // 150
            points |= {step for step in range(0, steps, spacing) if step >= 150}
    else:
        assert every is not None
        points = set(range(0, steps, every))
    return sorted(points | {steps})


def snapshot_count(text: str, key: str = "snapshots") -> int:
    """Parse the configuration key `snapshots`, or another of its form: `log:30` → 30.

    Raises InputError for any other form, and for numbers below 2.
    """
    match = re.fullmatch(r"log:(\d+)", text, flags=re.ASCII)
    if match is None or int(match[1]) < 2:
        raise InputError(f"{key}={text}: must be null or log:N, N ≥ 2")
    return int(match[1])


def spaced_steps(count: int, schedule: Sequence[int]) -> list[int]:
    """Choose `count` steps of `schedule`, evenly spaced in the logarithm.

    Step 0 and the last step are included; those between are moved to the nearest evaluation, so
    that fewer than `count` remain where evaluations are sparse.

    Args:
        count: number of steps, at least 2.
        schedule: steps of all evaluations, ascending from 0.
    """
    import numpy as np  # which --help can do without

    positive = [step for step in schedule if step > 0]
    spaced = np.geomspace(positive[-1], positive[0], count - 1)
    nearest = (min(positive, key=lambda step: abs(step - target)) for target in spaced)
    return sorted({0, *nearest})


def sparse_steps(count: int, schedule: Sequence[int], budget: int) -> list[int]:
    """Choose the steps of `schedule` at which sparse measures are taken.

    Up to `budget` these are `count` steps as of `spaced_steps`; where the run is longer, they go on
    at the same ratio, so that it has those of the shorter run which it lengthens. The last step is
    included.
    """
    import numpy as np

    positive = [step for step in schedule if step > 0]
    targets = np.geomspace(positive[0], budget, count - 1)[:-1].tolist()
    if count > 2:
        ratio, target = (budget / positive[0]) ** (1 / (count - 2)), float(budget)
        while (target := target * ratio) < positive[-1]:
            targets.append(target)
    nearest = {min(positive, key=lambda step: abs(step - target)) for target in targets}
    return sorted({0, *nearest, *{budget}.intersection(schedule), positive[-1]})
