"""E0: the distance by hand, what keeps a variant out, and the command."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from analysis.__main__ import main
from analysis.entropy import calibration
from analysis.entropy.calibration import expands, fingerprint, readable, variants
from analysis.gather import Tables, write
from grokpipe.curves.events import ENTROPY
from grokpipe.errors import InputError
from tests.analysis.entropy.made_up import run, tables

NEAR = {"arch.norm": "post", "arch.tokens": 3, "arch.embedding": "unit", "optimizer.betas": "[a]"}
FAR = NEAR | {"arch.norm": "pre"}


def grows(seed: int, at: int, entropy: tuple[float, float], norms=(50, 40, 44.0), **dials):
    """A run of 20 evaluations, 1,000 steps apart; `at` beyond them never groks."""
    numbers = np.arange(20)
    return run(
        f"{dials['arch.norm']}{seed}",
        {
            "test_accuracy": (numbers >= at).astype(float),
            ENTROPY: np.where(numbers >= at, entropy[1], entropy[0]),
            "weight_norm": np.array(norms)[np.clip(numbers, 0, len(norms) - 1)],
        },
        every=1_000, seed=seed, **dials,
    )  # fmt: skip


def two_variants() -> Tables:
    return tables(
        [
            grows(100, 5, (0.80, 0.60), norms=(50, 40, 43.9), **FAR),
            grows(101, 7, (0.82, 0.64), **FAR),
            grows(100, 14, (0.78, 0.600), **NEAR),
            grows(101, 15, (0.80, 0.610), **NEAR),
        ]
    )


def test_distances_by_hand_the_nearest_first() -> None:
    table = variants(two_variants())
    assert table["arch.norm"].tolist() == ["post", "pre"]
    assert table["state"].tolist() == ["admissible"] * 2
    # means of 14,500, 0.79 and 0.605, and both norms expand; of 6,000, 0.81 and 0.62, one does
    half = math.log(17_100 / 12_140) / 2
    expected = [
        [math.log(14_500 / 14_360) / half, 0.0, -0.004 / 0.0145, 0.0],
        [math.log(6_000 / 14_360) / half, 2.0, 0.011 / 0.0145, 1.0],
    ]
    found = table[[column for column in table if column.startswith("term_")]].to_numpy()
    assert found == pytest.approx(np.array(expected))
    assert table["distance"].to_numpy() == pytest.approx(np.sqrt((np.array(expected) ** 2).sum(1)))
    assert table["expanding"].tolist() == [1.0, 0.5]
    assert readable(table)["mean T_grok"].tolist() == ["14,500", "6,000"]


def test_the_fingerprint_is_read_from_the_claims(tmp_path: Path) -> None:
    content = yaml.safe_load(calibration.CLAIMS.read_text())
    content["fingerprint"]["terms"]["entropy_initial"]["published"] = 0.80
    content["fingerprint"]["expansion"]["weight"] = 3
    changed = tmp_path / "claims.yaml"
    changed.write_text(yaml.safe_dump(content))
    table = variants(two_variants(), fingerprint(changed))
    assert table["term_entropy_initial"].tolist() == pytest.approx([-1, 1])
    assert table["term_expansion"].tolist() == pytest.approx([0, 1.5])


@pytest.mark.parametrize(
    ("norms", "expected"),
    [
        ([50, 40, 43.99], False),
        ([50, 40, 44.0], True),
        ([44, 40, 30, 32], False),  # above its least value until then, not above the later one
        ([40, 44, 30], True),
        ([40, math.nan, 44], True),
        ([], False),
    ],
)
def test_a_norm_expands_above_its_least_value_so_far(norms: list[float], expected: bool) -> None:
    assert expands(norms, 1.1) is expected


def test_what_the_norm_does_at_grokking_and_later_does_not_count() -> None:
    late = tables([grows(100, 5, (0.8, 0.6), norms=(50, 40, 40, 40, 40, 60), **NEAR)])
    assert variants(late)["expanding"].tolist() == [0.0]


def test_a_run_that_did_not_grok_or_is_not_finished_leaves_its_variant_out() -> None:
    never = [grows(100, 99, (0.79, 0.6), **NEAR), grows(101, 14, (0.79, 0.61), **NEAR)]
    other = [grows(seed, 9, (0.79, 0.6), **FAR) for seed in (100, 101)]
    table = variants(tables([*never, *other]))
    assert table["state"].tolist() == ["admissible", "1 of 2 did not grok"]
    assert table["grokked"].tolist() == [2, 1]
    assert math.isnan(table["t_grok"][1]) and math.isnan(table["distance"][1])
    assert readable(table)["distance"].tolist()[1] == "–"

    never[0][1]["state"] = "interrupted"
    assert variants(tables([*never, *other]))["state"][1] == "1 of 2 not finished"
    # a run that has not begun is not there at all; one that was interrupted may have grokked
    other[1][1]["state"] = "interrupted"
    states = variants(tables([never[1], *other]))["state"].tolist()
    assert states == ["1 of 2 not finished"] * 2


def test_the_command_prints_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(two_variants(), tmp_path)
    assert main(["calibrate", str(tmp_path)]) == 0
    assert "14,500" in capsys.readouterr().out
    assert {path.name for path in (tmp_path / "tables").iterdir()} == {
        f"calibration.{ending}" for ending in ("csv", "md", "tex", "why.json")
    }
    assert pd.read_csv(tmp_path / "tables" / "calibration.csv")["runs"].tolist() == [2, 2]


def test_runs_that_did_not_measure_the_entropy_are_refused() -> None:
    found = two_variants()
    del found.curves[ENTROPY]
    with pytest.raises(InputError, match=ENTROPY):
        variants(found)
