"""E0: the distance by hand, what keeps a variant out, and the command."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from analysis.__main__ import main
from analysis.papers.entropy.estimates import setting_calibration
from analysis.papers.entropy.estimates.phases import growth
from analysis.papers.entropy.estimates.setting_calibration import readable, rule, variants
from analysis.runs import gather
from analysis.runs.tables import write_gathered
from grokpipe.curves.events import ENTROPY
from grokpipe.errors import InputError
from grokpipe.store import manifest
from tests.helpers.entropy_runs import Run, tables

NEAR = {"arch.norm": "post", "arch.tokens": 3, "arch.embedding": "unit", "optimizer.betas": "[a]"}
FAR = NEAR | {"arch.norm": "pre"}
NORMS = (50, 40, 44.1)


def grows(
    seed: int,
    groks: float | None,
    start: float,
    at_grok: float,
    settings: dict[str, Any],
    norms: tuple[float, ...] = NORMS,
    state: str = "done",
) -> Run:
    """Its norm takes these values, the last one for good."""
    run = Run(seed, groks, budget=20_000, state=state, settings=settings)
    grokked = run.steps >= (math.inf if groks is None else groks)
    run.curves[ENTROPY] = np.where(grokked, at_grok, start)
    run.curves["weight_norm"] = np.array(norms)[np.clip(range(len(grokked)), 0, len(norms) - 1)]
    return run


def table(*runs: Run) -> pd.DataFrame:
    return variants(tables("e0", runs, Path("x")), rule())


def two_variants() -> list[Run]:
    return [
        grows(100, 5_000, 0.80, 0.60, FAR, norms=(50, 40, 43.9)),
        grows(101, 7_000, 0.82, 0.64, FAR),
        grows(100, 14_000, 0.78, 0.600, NEAR),
        grows(101, 15_000, 0.80, 0.610, NEAR),
    ]


def test_distances_by_hand_the_nearest_first() -> None:
    found = table(*two_variants())
    assert found["arch.norm"].tolist() == ["post", "pre"]
    assert found["admissible"].all()
    # means of 14,500, 0.79 and 0.605, and both norms expand; of 6,000, 0.81 and 0.62, one does
    half = math.log(17_100 / 12_140) / 2
    expected = np.array(
        [
            [math.log(14_500 / 14_360) / half, 0.0, -0.004 / 0.0145, 0.0],
            [math.log(6_000 / 14_360) / half, 2.0, 0.011 / 0.0145, 1.0],
        ]
    )
    terms = found[[column for column in found if column.startswith("term_")]].to_numpy()
    assert terms == pytest.approx(expected)
    assert found["distance"].to_numpy() == pytest.approx(np.sqrt((expected**2).sum(1)))
    assert readable(found)["norm expands"].tolist() == ["100%", "50%"]


def test_the_rule_is_that_of_the_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    content = yaml.safe_load(setting_calibration.RULE.read_text())
    content["terms"]["entropy_initial"]["published"] = 0.80
    content["expansion"]["weight"] = 3
    (tmp_path / "settings.yaml").write_text(yaml.safe_dump(content))
    monkeypatch.setattr(setting_calibration, "RULE", tmp_path / "settings.yaml")
    found = table(*two_variants())
    assert found["term_entropy_initial"].tolist() == pytest.approx([-1, 1])
    assert found["term_expands"].tolist() == pytest.approx([0, 1.5])


@pytest.mark.parametrize(
    ("norms", "expected"),
    [
        ([50, 40, 44], 1.1),
        ([44, 40, 30, 33], 1.1),  # above its least value until then
        ([40, 50, 30], 1.25),  # not above a later one
        ([50, 40, 30], 1.0),
        ([], 1.0),
    ],
)
def test_a_norm_expands_above_its_least_value_so_far(norms: list[float], expected: float) -> None:
    assert growth(np.array(norms, dtype=float)) == pytest.approx(expected)


def test_what_the_norm_does_at_grokking_and_later_does_not_count() -> None:
    at = grows(100, 400, 0.8, 0.6, NEAR, norms=(50, 40, 40, 40, 60))
    before = grows(100, 500, 0.8, 0.6, NEAR, norms=(50, 40, 40, 40, 60))
    assert [table(run)["expands"][0] for run in (at, before)] == [0, 1]


def test_a_run_that_did_not_grok_leaves_its_variant_without_a_distance() -> None:
    never = grows(100, None, 0.79, 0.6, NEAR)
    found = table(never, grows(101, 14_000, 0.79, 0.609, NEAR), *two_variants()[:2])
    assert found["arch.norm"].tolist() == ["pre", "post"]
    last = found.iloc[-1]
    assert not last["admissible"] and math.isnan(last["distance"])
    # neither of them is of the faster run alone: 14,000 would be nearly the published time
    assert last["t_grok"] == (20_000 + 14_000) / 2 and math.isnan(last["term_t_grok"])
    assert math.isnan(last["term_entropy_at_grok"]) and last["term_entropy_initial"] == 0
    shown = readable(found)
    assert shown["admissible"].tolist() == ["yes", "not all grokked"]
    assert shown["T_grok (half-widths off)"][1] == "≥ 17,000 (–)"
    assert shown["distance"][1] == "–"


def test_a_variant_waits_for_runs_that_are_not_finished_or_not_there() -> None:
    others = two_variants()[:2]
    unfinished = grows(101, None, 0.79, 0.6, NEAR, state="interrupted")
    for variant in ([unfinished, grows(100, 14_000, 0.79, 0.6, NEAR)], two_variants()[2:3]):
        found = table(*variant, *others)
        assert readable(found)["admissible"].tolist() == ["yes", "not finished"]
        assert math.isnan(found["distance"][1])
    diverged = grows(101, None, 0.79, 0.6, NEAR, state="diverged")  # nothing more will come of it
    found = table(diverged, two_variants()[2], *others)
    assert readable(found)["admissible"].tolist() == ["yes", "not all grokked"]


def test_the_command_prints_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_gathered(tables("e0", two_variants(), tmp_path), tmp_path)
    assert main(["paper", "entropy", "settings", str(tmp_path)]) == 0
    assert "14,500" in capsys.readouterr().out
    assert {path.name for path in (tmp_path / "tables").iterdir()} == {
        f"calibration.{ending}" for ending in ("csv", "md", "tex", "why.json")
    }


def test_the_command_leaves_out_what_other_experiments_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The baseline has the settings of a variant, but other seeds."""
    baseline = grows(0, 1_000, 0.5, 0.5, NEAR)
    every = tables("e0", [*two_variants(), baseline], tmp_path)
    monkeypatch.setattr(gather, "read_every", lambda folder: every)
    manifest.cells_folder(tmp_path).mkdir()
    asked = {"entropy/e1_baseline": [baseline], "entropy/e0_fingerprint": two_variants()}
    for experiment, runs in asked.items():
        rows = [{"key": run.key("e0"), "experiment": experiment} for run in runs]
        manifest.record_asked(tmp_path, rows)
    assert main(["paper", "entropy", "settings", str(tmp_path)]) == 0
    assert "14,500" in capsys.readouterr().out
    assert pd.read_csv(tmp_path / "tables" / "calibration.csv")["n"].tolist() == [2, 2]


@pytest.mark.parametrize("missing", ["arch.tokens", ENTROPY])
def test_runs_without_a_dial_or_the_entropy_are_refused(missing: str) -> None:
    found = tables("e0", two_variants(), Path("x"))
    found.curves.drop(columns=missing, inplace=True)
    found.cells.drop(columns=missing, inplace=True, errors="ignore")
    with pytest.raises(InputError, match=missing):
        variants(found, rule())
