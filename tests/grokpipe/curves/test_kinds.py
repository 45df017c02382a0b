"""Each kind of event against a loop that follows its definition word by word, on random curves."""

import math
import statistics
from collections.abc import Sequence

import numpy as np
import pytest

from grokpipe.curves.events import Event
from grokpipe.curves.kinds import (
    AboveChance,
    Arrival,
    Crossing,
    Fall,
    Half,
    OfOtherSeeds,
    Ratio,
)
from grokpipe.curves.run import Definition, Run

CHANCE, BUDGET = 0.1, 9000.0
Known = list[tuple[float, float]]


def random_curve(draws: np.random.Generator) -> dict[str, np.ndarray]:
    """Up to 25 evaluations, half of the curves with gaps; levels are met exactly now and then."""
    n = int(draws.integers(0, 26))
    trend = np.linspace(0, draws.uniform(-1.5, 1.5), n) + draws.uniform(0, 1)
    values = (trend + draws.normal(0, 0.15, n)).round(int(draws.integers(1, 3)))
    if draws.random() < 0.5:
        values[draws.random(n) < draws.uniform(0, 0.6)] = math.nan
    return {"step": np.cumsum(draws.integers(1, 40, n)) - 1.0, "x": values}


def time(definition: Definition, curve, finished=True, levels=None, **others: Definition):
    run = Run(curve, CHANCE, BUDGET, finished, {"event": definition, **others}, levels or {})
    return run.time("event")


def at(known: Known, place: int | None, upto: float | None = None) -> Event:
    """The event at a place among the known evaluations; censored, at the last of them or at `upto`,
    without one."""
    if place is None:
        last = upto if upto is not None else known[-1][0] if known else 0.0
        return Event(last, False, last, math.inf, BUDGET)
    step = known[place][0]
    return Event(step, True, known[max(place - 1, 0)][0], step, BUDGET)


def known_of(curve: dict[str, np.ndarray]) -> Known:
    pairs = zip(curve["step"].tolist(), curve["x"].tolist(), strict=True)
    return [(step, value) for step, value in pairs if value == value]


def beyond(value: float, level: float, rising: bool, strict: bool) -> bool:
    if value == level:
        return not strict
    return value > level if rising else value < level


def crossing(known: Known, level: float, rising: bool, row: int, strict: bool) -> Event:
    holds = [beyond(value, level, rising, strict) for _, value in known]
    for place in range(len(known) - row + 1):
        if all(holds[place : place + row]):
            return at(known, place)
    tail = len(holds)
    while tail and holds[tail - 1]:
        tail -= 1
    if tail == len(holds):
        return at(known, None)
    return at(known, None, known[tail - 1][0] if tail else 0.0)  # before the row that is under way


def half(known: Known, least: float, rising: bool, finished: bool) -> Event:
    if not known or not finished:
        return at(known, None)
    last = [value for _, value in known][-5:]
    first, final = known[0][1], math.fsum(last) / len(last)
    change = final - first if rising else first - final
    if abs(change - least) < 1e-12 or change < least or change == 0:
        return at(known, None)
    middle = (first + final) / 2
    place = next(i for i, (_, v) in enumerate(known) if (v >= middle if rising else v <= middle))
    return at(known, place)


def half_after(known: Known, least: float, rising: bool | None, start: float, row: int) -> Event:
    """Word by word: the level is the median of the first five values from `start`, else the value
    there; where neither is left by `least`, the change from the first value was before."""
    later = [(place, value) for place, (step, value) in enumerate(known) if step >= start]
    if not later:
        return at(known, None)
    last = [value for _, value in known][-5:]
    final = math.fsum(last) / len(last)
    plateau = statistics.median([value for _, value in later[:5]])
    for level, before in ((plateau, False), (later[0][1], False), (known[0][1], True)):
        change = final - level
        if change == 0 or abs(change) < least or rising not in (None, change > 0):
            continue
        place, _ = later[0]
        if before:
            return Event(known[place][0], True, known[0][0], known[place][0], BUDGET)
        middle, up = (level + final) / 2, change > 0
        for i in range(len(later)):
            if all(v >= middle if up else v <= middle for _, v in later[i : i + row]):
                place = later[i][0]
                lower = known[later[max(i - 1, 0)][0]][0]
                return Event(known[place][0], True, lower, known[place][0], BUDGET)
        return at(known, None)
    return at(known, None)


def arrival(known: Known, within: float, least: float, rising: bool, finished: bool) -> Event:
    if not known or not finished:
        return at(known, None)
    last = [value for _, value in known][-5:]
    first, final = known[0][1], math.fsum(last) / len(last)
    sign = 1 if rising else -1
    if sign * (final - first) < least:
        return at(known, None)
    for place in range(len(known)):
        if all(sign * (value - final) >= -within for _, value in known[place:]):
            return at(known, place)
    return at(known, None)


def falls(known: Known, by: float, window: int, rising: bool) -> list[bool]:
    sign = -1 if rising else 1
    return [
        i >= window and sign * known[i - window][1] - sign * known[i][1] > by
        for i in range(len(known))
    ]


def is_close_to_a_tie(known: Known, distance: float) -> bool:
    """Whether the mean of the last five puts a comparison on a knife's edge, where two ways to
    round may disagree."""
    if not known:
        return False
    last = [value for _, value in known][-5:]
    first, final = known[0][1], math.fsum(last) / len(last)
    edges = [(first + final) / 2, final - 0.02, final + 0.02]
    near = any(abs(value - edge) < 1e-9 for _, value in known for edge in edges)
    return near or abs(abs(final - first) - distance) < 1e-9


@pytest.mark.parametrize("seed", range(4))
def test_every_kind_is_what_a_loop_finds(seed: int) -> None:
    draws = np.random.default_rng(seed)
    observed = dict.fromkeys(("crossing", "half", "arrival", "fall", "last"), 0)
    for _ in range(500):
        curve, rising = random_curve(draws), bool(draws.integers(2))
        known, finished = known_of(curve), bool(draws.random() < 0.8)

        row, strict = int(draws.integers(1, 5)), bool(draws.integers(2))
        level = round(float(draws.uniform(0, 1)), 1)
        expected = crossing(known, level, rising, row, strict)
        assert time(Crossing("x", level, rising, row, strict), curve, finished) == expected
        observed["crossing"] += expected.observed

        least = 0.2
        if not is_close_to_a_tie(known, least):
            expected = half(known, least, rising, finished)
            assert time(Half("x", least, rising), curve, finished) == expected
            observed["half"] += expected.observed
            expected = arrival(known, 0.02, least, rising, finished)
            assert time(Arrival("x", 0.02, least, rising), curve, finished) == expected
            observed["arrival"] += expected.observed

        by, window = 0.13, int(draws.integers(1, 7))
        fell = falls(known, by, window, rising)
        expected = at(known, fell.index(True) if any(fell) else None)
        assert time(Fall("x", by, window, rising), curve, finished) == expected
        observed["fall"] += expected.observed

        until = Crossing("x", 0.8)
        last = Fall("x", by, window, rising, last_before="until")
        found = time(last, curve, finished, until=until)
        assert found == last_of_falls(known, fell, time(until, curve))
        observed["last"] += found.observed
    assert min(observed.values()) > 30, observed


@pytest.mark.parametrize("seed", range(3))
def test_a_half_after_another_event_is_what_a_loop_finds(seed: int) -> None:
    draws = np.random.default_rng(seed)
    found = dict.fromkeys(("seen", "before", "never", "from the first value"), 0)
    for _ in range(800):
        curve = random_curve(draws)
        curve["y"] = random_curve(draws)["x"]
        curve["y"] = np.resize(curve["y"], len(curve["x"])) if len(curve["y"]) else curve["x"] * 0
        rising = [True, False, None][int(draws.integers(3))]
        row = int(draws.integers(1, 6))
        known, until = known_of(curve), Crossing("y", 0.5)
        own = Half("x", 0.2, rising, after="until", evaluations=row)
        reached = time(until, curve)
        assert reached is not None
        logged = bool((~np.isnan(curve["y"])).any())
        if is_close_to_a_tie(known, 0.2) or not known or is_tied_after(known, reached.step):
            continue
        if not logged:
            expected = time(Half("x", 0.2, rising, evaluations=row), curve)
            found["from the first value"] += 1
        else:
            start = reached.step if reached.observed else math.inf
            expected = half_after(known, 0.2, rising, start, row)
            before = expected.observed and expected.lower < start
            found["before" if before else "seen" if expected.observed else "never"] += 1
        assert time(own, curve, until=until) == expected, f"seed {seed}"
    assert min(found.values()) > 3, found


def is_tied_after(known: Known, start: float) -> bool:
    """Whether a value lies on the edge of a half or a change from a plateau, as rounding has it."""
    later = [value for step, value in known if step >= start]
    if not later:
        return False
    last = [value for _, value in known][-5:]
    final = math.fsum(last) / len(last)
    for level in (statistics.median(later[:5]), later[0], known[0][1]):
        if abs(abs(final - level) - 0.2) < 1e-9:
            return True
        if any(abs(value - (level + final) / 2) < 1e-9 for value in later):
            return True
    return False


def last_of_falls(known: Known, fell: Sequence[bool], until: Event) -> Event:
    begins = [
        i for i in range(len(known))
        if fell[i] and not (i and fell[i - 1]) and known[i][0] <= until.step
    ]  # fmt: skip
    if not begins:
        return at(known, None, max((s for s, _ in known if s <= until.step), default=0.0))
    if not until.observed:
        return at(known, None, known[begins[-1]][0])
    return at(known, begins[-1])


def test_a_level_may_depend_on_the_classes() -> None:
    curve = {"step": [0, 10, 20], "x": [0.1, 0.19, 0.2]}
    assert time(Crossing("x", AboveChance(0.1)), curve) == Event(20, True, 10, 20, BUDGET)
    assert time(Crossing("x", AboveChance(0.09)), curve).step == 10


def test_a_level_may_be_given_for_each_run() -> None:
    learned = Crossing("x", OfOtherSeeds("until", "why"), rising=False)
    curve = {"step": [0, 10, 20], "x": [0.9, 0.6, 0.5]}
    assert time(learned, curve) is None  # no level, no event, not even a censored one
    assert time(learned, curve, levels={learned: math.nan}) is None
    assert time(learned, curve, levels={learned: 0.5}) == Event(20, True, 10, 20, BUDGET)
    assert learned.undefined == "why"
    assert not learned.reached([0.0, 1.0]).any()


def test_a_half_relative_to_the_first_value() -> None:
    steps = np.arange(9) * 10.0
    for scale in (1.0, 50.0):
        falling = scale * np.array([1, 1, 1, 0.79, 0.79, 0.79, 0.79, 0.79, 0.79])
        curve = {"step": steps, "x": falling}
        assert time(Half("x", 0.2, rising=False, relative=True), curve).step == 30
        assert not time(Half("x", 0.22, rising=False, relative=True), curve).observed
        # what rises from below zero rises all the same
        curve = {"step": steps, "x": -falling}
        assert time(Half("x", 0.2, rising=True, relative=True), curve).step == 30


def test_a_run_without_a_column_or_without_one_of_two_times_has_no_event() -> None:
    curve = {"step": [0, 10], "x": [0.0, 1.0]}
    assert time(Crossing("y", 0.5), curve) is None
    never = Crossing("x", 2.0)
    assert time(Ratio("late", "early"), curve, late=never, early=Crossing("y", 0.5)) is None
    assert time(Ratio("late", "early"), curve, late=Crossing("x", 0.5), early=never) is None
    both = time(Ratio("late", "early"), curve, late=never, early=Crossing("x", 0.5))
    assert both == Event(1.0, False, 1.0, math.inf, BUDGET / 10)
    assert time(Fall("x", 0.1, 1, last_before="y"), curve, y=Crossing("y", 1.0)) is None


def test_what_training_cannot_know() -> None:
    for definition in (
        Half("x", 0.2), Arrival("x", 0.1, 0.2), Ratio("a", "b"), Fall("x", 0.1, 5, last_before="a"),
        Crossing("x", OfOtherSeeds("a", "")),
    ):  # fmt: skip
        assert definition.afterwards
    for definition in (Crossing("x", 1.0, evaluations=3), Crossing("x", AboveChance(0.1))):
        assert not definition.afterwards
    assert not Fall("x", 0.1, 5).afterwards
