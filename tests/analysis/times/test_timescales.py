"""What the table of timescales says of runs that did not have the event."""

import math

import pandas as pd
import pytest

from analysis.output.tables import FORMATS, formatted
from analysis.times.timescales import labelled, readable, texts, timescales


def censored(*steps: float) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "key": [f"{run:016d}" for run in range(len(steps))], "event": "t_grok",
            "step": steps, "observed": False, "lower": steps, "upper": math.inf,
            "budget": 100_000.0, "seed": range(len(steps)), "weight_decay": 0.1,
            "state": "done",
        }
    )  # fmt: skip


def test_a_median_that_no_run_reached_is_beyond_what_five_runs_were_followed_to() -> None:
    table = timescales(censored(100_000, 60_000, 60_000, 50_000, 40_000), ["weight_decay"])
    shown = readable(table).iloc[0]
    assert shown["median"] == "> 40,000"
    assert shown["95 % interval"] == "40,000 – ∞"
    assert shown["mean [95 %]"] == "–"  # the restricted mean is the horizon by itself
    # 1 − 0.025^(1/5)
    assert table.loc[0, ["share", "share_lower", "share_upper"]].tolist() == pytest.approx(
        [0, 0, 0.5218], abs=1e-4
    )


def test_runs_that_had_the_event_do_not_shorten_what_the_others_were_followed_to() -> None:
    runs = censored(89_910, 100_000, 100_000, 100_000, 100_000)
    runs.loc[0, ["observed", "lower", "upper"]] = [True, 89_000, 89_910]
    shown = readable(timescales(runs, ["weight_decay"])).iloc[0]
    assert shown["median"] == "> 100,000"
    assert shown["95 % interval"] == "89,910 – ∞"  # one of five runs by the median: 3 in 16


def test_signs_are_one_piece_of_mathematics_in_tex() -> None:
    shown = pd.DataFrame({"x": ["> 400", "< 3", "≥ 2", "0.3 → 0.1", "a_b & 5 %"]})
    lines = formatted(shown, FORMATS["tex"]).splitlines()
    rows = [line.strip().removesuffix("\\\\").strip() for line in lines if line.endswith("\\\\")]
    assert rows == [
        "x", r"\ensuremath{>} 400", r"\ensuremath{<} 3", r"$\geq$ 2", r"0.3 $\to$ 0.1",
        r"a\_b \& 5 \%",
    ]  # fmt: skip


def test_of_fewer_than_five_runs_their_number_is_said() -> None:
    for steps, said in (((100_000, 60_000), "> 60,000 (2 runs)"), ((500,), "> 500 (1 run)")):
        shown = readable(timescales(censored(*steps), ["weight_decay"])).iloc[0]
        assert shown["median"] == said
        assert shown["95 % interval"] == "–"


def grouped(*values: object, dtype: object = None) -> dict[str, int]:
    """The labels of groups of runs with these values, and how many runs each has."""
    column = pd.Series(values, dtype=dtype)
    runs = pd.DataFrame({"key": [f"{run:04d}" for run in column.index], "seed": 0, "x": column})
    return {label: len(group) for label, group in labelled(runs, ["x"]).items()}


def test_no_group_is_lost_whatever_its_values_are() -> None:
    assert grouped(0.1, 0.3, 0.1 + 0.2, 0.3) == {
        "0.30000000000000004": 1, "0.3": 2, "0.1": 1
    }  # fmt: skip
    assert grouped(0.12345678, 0.12345679, 1e-4) == {"0.12345679": 1, "0.12345678": 1, "0.0001": 1}
    assert grouped(1 / 3, 0.001) == {"0.333333": 1, "0.001": 1}  # six digits tell them apart
    assert grouped("1", 1.0, 2.0, dtype=object) == {"1": 1, "1.0": 1, "2.0": 1}
    assert grouped(None, "none", dtype=object) == {"x='none'": 1, "x=none": 1}
    assert grouped(True, False, None, dtype=object) == {"False": 1, "True": 1, "none": 1}
    assert grouped(math.nan, 2.0, math.nan) == {"2": 1, "none": 2}


def test_groups_of_two_columns_keep_their_runs() -> None:
    x, y = ["a, b", "a", None, "a"], ["c", "b, c", "a", "c"]
    groups = labelled(pd.DataFrame({"key": list("abcd"), "seed": 0, "x": x, "y": y}), ["x", "y"])
    assert {label: group["key"].tolist() for label, group in groups.items()} == {
        "x=a, y=b, c": ["b"], "x=a, y=c": ["d"], "x=a, b, y=c": ["a"], "x=none, y=a": ["c"]
    }  # fmt: skip


def test_values_are_written_to_as_many_digits_as_tell_them_apart() -> None:
    assert texts([0.1, 300.0, None, "a", 7]) == {0.1: "0.1", 300: "300", "a": "a", 7: "7"}
    runs = pd.concat([censored(400, 400), censored(500).assign(weight_decay=0.1000000002, key="k")])
    shown = readable(timescales(runs, ["weight_decay"]))
    assert shown["weight_decay"].tolist() == ["0.1000000002", "0.1"]
    assert shown["reached"].tolist() == ["0/1", "0/2"]
