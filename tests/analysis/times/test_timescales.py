"""What the table of timescales says of runs that did not have the event."""

import math

import pandas as pd
import pytest

from analysis.output.tables import FORMATS, formatted
from analysis.times.timescales import readable, timescales


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
