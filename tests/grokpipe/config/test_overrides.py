"""Overrides of a grid: which values a sweep lists."""

import random
from fractions import Fraction

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from grokpipe.config.overrides import parse_sweep, varying, with_quotes
from grokpipe.errors import InputError


def listed(loader, text: str) -> list[str]:
    (override,) = parse_sweep([text], loader)
    return [*override.sweep_string_iterator()]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("weight_decay=range(0.1,0.4,0.1)", ["0.1", "0.2", "0.3"]),
        ("lr=range(1e-3,4e-3,1e-3)", ["0.001", "0.002", "0.003"]),
        ("lr=range(0.3,0,-0.1)", ["0.3", "0.2", "0.1"]),
        ("lr=range(1,2.5,0.5)", ["1.0", "1.5", "2.0"]),
        ("seed=range(5)", ["0", "1", "2", "3", "4"]),
        ("seed=range(5,0,-2)", ["5", "3", "1"]),
        ("seed=range(9007199254740993,9007199254740995)", ["9007199254740993", "9007199254740994"]),
        ("lr=sort(range(0.1,0.4,0.1),reverse=true)", ["0.3", "0.2", "0.1"]),
        ("lr=0.30000000000000004,0.3", ["0.30000000000000004", "0.3"]),  # kept as typed
        ("task=glob(mod_*)", ["mod_add", "mod_div", "mod_mul", "mod_sub"]),
    ],
)
def test_values_of_a_sweep(loader, text: str, values: list[str]) -> None:
    assert listed(loader, text) == values


def test_ranges_are_those_of_exact_fractions(loader) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    draw = random.Random(seed)
    differ = 0
    for _ in range(200):
        digits = draw.randint(1, 6)
        start, stop = (draw.randint(-50, 50) for _ in "ab")
        step = draw.choice([-1, 1]) * draw.randint(1, 7)
        expected = [float(Fraction(i, 10**digits)) for i in range(start, stop, step)]
        numbers = ",".join(f"{i / 10**digits:.{digits}f}" for i in (start, stop, step))
        if not expected:
            with pytest.raises(InputError, match="no values"):
                listed(loader, f"lr=range({numbers})")
            continue
        assert [float(value) for value in listed(loader, f"lr=range({numbers})")] == expected
        theirs = OverridesParser.create().parse_override(f"lr=range({numbers})").sweep_iterator()
        differ += [*theirs] != expected
    assert differ > 0  # of Hydra's own, some do not


def test_a_shuffled_range_has_the_same_values(loader) -> None:
    values = listed(loader, "lr=shuffle(range(0.1,1,0.1))")
    assert sorted(values) == [f"0.{i}" for i in range(1, 10)]


def test_a_grid_has_a_largest_size(loader) -> None:
    parse_sweep(["seed=range(1000)", "lr=range(1,1001)"], loader)
    with pytest.raises(InputError, match=r"^a grid of 1,001,000 points over seed, lr; must"):
        parse_sweep(["seed=range(1000)", "lr=range(1,1002)"], loader)
    # of two for one key, the last counts, as in Hydra
    parse_sweep(["seed=range(1000)", "lr=range(2000)", "lr=range(1,3)"], loader)


def test_varying_overrides_name_a_job() -> None:
    jobs = [["lr=1", "seed=0", "hydra.x=1"], ["lr=1", "seed=1", "hydra.x=2"]]
    assert varying(jobs) == [["seed=0"], ["seed=1"]]
    assert varying(jobs[:1]) == [[]]


def test_quotes_go_around_conditions_only() -> None:
    assert with_quotes("stop.event=a>=1") == 'stop.event="a>=1"'
    assert with_quotes("stop.event=tau1") == "stop.event=tau1"
    assert with_quotes("name=a>1") == "name=a>1"
