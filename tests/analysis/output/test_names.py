"""Files are named after what was asked."""

from itertools import combinations
from pathlib import Path

import pandas as pd
import pytest

from analysis.__main__ import main, parser
from analysis.output.names import LONGEST, file_stem, joined, stem
from tests.helpers.made_runs import write_run


def named(base: str, command: str, *only: str, **others: object) -> str:
    given = command.split()
    options = parser(given).parse_args(given)
    vars(options).update(others)
    return stem(base, options, *only)


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("timescales x", "timescales"),
        ("timescales x --to y --interval log-log --format plain", "timescales"),
        ("timescales x --event all --long", "timescales_all_long"),
        ("timescales x --event t_grok,tau_rnc1@0.1", "timescales_t_grok_tau_rnc1_0_1"),
        ("timescales x --by lr,weight_decay --interval BCa", "timescales_by_lr_weight_decay_BCa"),
        (
            "compare x --event tau1 --by lr --baseline -0.1 --margin 10% --alternative later",
            "compare_tau1_by_lr_baseline_minus_0_1_later_margin_10_percent",
        ),
        ("fit x --against lr --format paper", "fit_paper"),
        ("forecast x --tolerance 0.5 --predictor a/b", "forecast_from_a_b_tolerance_0_5"),
    ],
)
def test_a_name_has_what_is_not_the_default(command: str, name: str) -> None:
    assert named(command.split()[0], command) == name


def test_options_that_choose_runs_are_in_the_name() -> None:
    """A text or, given several times, a list; of `only` some options, no other counts."""
    command = "compare x --event tau1 --by lr --baseline 1"
    only = ("by", "where", "within")
    assert named("survival", command, *only, where="lr=0.1,weight_decay<1", within="lr") == (
        "survival_by_lr_within_lr_where_lr_0_1_weight_decay_lt_1"
    )
    assert named("survival", command, *only, where=["a!=1", "b>=2"]) == (
        "survival_by_lr_where_a_not_1_b_ge_2"
    )
    assert named("survival", command, *only, where=None, within=None) == "survival_by_lr"


def test_texts_that_differ_in_signs_have_names_that_differ() -> None:
    texts = (
        "x>=1", "x<=1", "x>1", "x<1", "x=1", "x!=1", "x>=-1", "x>=0.1", "sustained(x>=1, 2)",
        "x>=12", "10", "10%", "-10",
    )  # fmt: skip
    stems = [file_stem(text) for text in texts]
    assert all(a != b for a, b in combinations(stems, 2))
    assert all(stem.replace("_", "a").isalnum() for stem in stems)
    assert file_stem("tau_rnc1@0.1") == "tau_rnc1_0_1"


def test_a_long_name_is_cut_and_still_its_own() -> None:
    parts = [f"event_{number}" for number in range(30)]
    one, other = joined("compare", *parts), joined("compare", *parts[:-1], "event_x")
    assert len(one) == len(other) == LONGEST and one != other
    assert one.startswith("compare_event_0_event_1_")
    assert one == joined("compare", *parts)


def test_a_second_question_does_not_overwrite_the_first(runs: Path) -> None:
    for seed in range(3):
        write_run(runs, seed, 0.01, 400)
    first: dict[Path, bytes] = {}
    for question in (
        "timescales", "timescales --event t_mem", "timescales --by seed", "timescales --long",
        "timescales --format paper", "timescales --interval order-statistics",
        "synchrony", "synchrony --by weight_decay", "synchrony --given train_accuracy",
        "timescales --event test_accuracy>=0.8",
    ):  # fmt: skip
        command, *options = question.split()
        assert main([command, str(runs), *options]) == 0
        files = {path: path.read_bytes() for path in (runs / "tables").glob("*.csv")}
        assert len(files) > len(first), question
        assert first.items() <= files.items(), question
        first = files
    events = pd.read_csv(runs / "tables/events_test_accuracy_ge_0_8.csv")["event"]
    assert "test_accuracy>=0.8" in set(events)
