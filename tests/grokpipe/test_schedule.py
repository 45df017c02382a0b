"""Steps of evaluations, by the rule as it was published, and those of snapshots among them."""

from itertools import pairwise

import pytest

from grokpipe.errors import InputError
from grokpipe.schedule import evaluation_steps, snapshot_count, spaced_steps, sparse_steps


def test_published_schedule_has_192_points_and_the_last_step() -> None:
    points = evaluation_steps("published", None, 100_000)
    assert len(points) == 193
    assert points[:31] == [*range(30), 30]
    assert points[30:42] == list(range(30, 150, 10))
    assert points[42:44] == [666, 1332]
    assert points[-2:] == [99_900, 100_000]
    assert points == sorted(set(points))


def test_published_schedule_is_that_of_the_released_code() -> None:
    """The rule as the paper's script states it, step by step."""
    for steps in (150, 151, 1000, 4321):
        logged = [
            s
            for s in range(steps)
            if s < 30 or (s < 150 and s % 10 == 0) or (s >= 150 and s % (steps // 150) == 0)
        ]
        assert evaluation_steps("published", None, steps) == [*logged, steps]


@pytest.mark.parametrize("shorter", [301, 1000, 50_000])
def test_the_budget_of_a_shorter_run_keeps_its_points(shorter: int) -> None:
    points = evaluation_steps("published", None, 3 * shorter, shorter)
    theirs = evaluation_steps("published", None, shorter)
    assert points[: len(theirs) - 1] == theirs[:-1]
    assert points[-1] == 3 * shorter
    rest = [step for step in points[:-1] if step >= 150]
    assert {b - a for a, b in pairwise(rest)} == {shorter // 150}
    assert evaluation_steps("published", None, shorter, shorter) == theirs


@pytest.mark.parametrize("steps", [1, 5, 30, 149])
def test_short_published_schedule_leaves_the_third_part_out(steps: int) -> None:
    points = evaluation_steps("published", None, steps)
    assert points[0] == 0
    assert points[-1] == steps
    assert all(p < 30 or p % 10 == 0 or p == steps for p in points)


def test_regular_schedule_ends_with_the_last_step() -> None:
    assert evaluation_steps("regular", 4, 10) == [0, 4, 8, 10]
    assert evaluation_steps("regular", 100, 10) == [0, 10]


@pytest.mark.parametrize(("text", "count"), [("log:2", 2), ("log:30", 30)])
def test_a_number_of_steps_is_read(text, count) -> None:
    assert snapshot_count(text) == count


@pytest.mark.parametrize("text", ["", "30", "log", "log:", "log:1", "log:-3", "log:3.5", "lin:30"])
def test_anything_else_is_refused(text) -> None:
    with pytest.raises(InputError) as error:
        snapshot_count(text)
    assert str(error.value) == f"snapshots={text}: must be null or log:N, N ≥ 2"


def test_steps_are_spaced_in_the_logarithm_from_the_first_to_the_last() -> None:
    every = [*range(0, 1001)]
    assert spaced_steps(5, every) == [0, 1, 10, 100, 1000]
    assert spaced_steps(3, every) == [0, 1, 1000]
    assert spaced_steps(2, every) == [0, 1000]
    assert spaced_steps(4, [*range(0, 10_001, 100)]) == [0, 100, 1000, 10_000]


def test_steps_are_evaluations_nearest_to_the_even_ones() -> None:
    assert spaced_steps(5, [0, 1, 8, 14, 90, 120, 1000]) == [0, 1, 8, 90, 1000]


def test_no_more_steps_than_evaluations() -> None:
    assert spaced_steps(30, [0, 5, 10]) == [0, 5, 10]
    assert spaced_steps(30, [0, 1]) == [0, 1]


@pytest.mark.parametrize("schedule", [("published", None), ("regular", 100)])
def test_a_real_run_keeps_its_ends_and_nearly_as_many_as_asked_for(schedule) -> None:
    evaluations = evaluation_steps(*schedule, 50_000)
    kept = spaced_steps(30, evaluations)
    assert set(kept) <= set(evaluations)
    assert (kept[0], kept[1], kept[-1]) == (0, evaluations[1], 50_000)
    assert 20 <= len(kept) <= 30


@pytest.mark.parametrize("budget", [150, 3_000, 4_321, 100_000])
@pytest.mark.parametrize("count", [2, 3, 20, 300])
def test_sparse_steps_are_those_of_snapshots_and_go_on(budget: int, count: int) -> None:
    own = evaluation_steps("published", None, budget)
    sparse = sparse_steps(count, own, budget)
    assert sparse == spaced_steps(count, own)
    whole = evaluation_steps("published", None, 3 * budget, budget)
    longer = sparse_steps(count, whole, budget)
    shared = {*own} & {*whole}
    assert {*longer} & shared == {*sparse} & shared
    assert longer[-1] == 3 * budget
    beyond = [step for step in longer if step > budget]
    assert len(beyond) >= 1 + (count == 20)  # a factor of 3, at 20 from 1 to the budget
