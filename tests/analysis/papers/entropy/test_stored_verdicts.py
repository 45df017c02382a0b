"""The stored verdicts are those of the stored runs, and those from before claims were data."""

import io
import subprocess
from dataclasses import replace

import pandas as pd
import pytest

from analysis.claims import judge, reading
from analysis.report import words
from tests.helpers.cli import ROOT

STORED = ROOT / "outputs" / "reference" / "entropy"
VERDICTS = "outputs/reference/entropy/report/verdicts.csv"
OLD = f"90dec69:{VERDICTS}"
KEPT = ["id", "where", "statement", "published", "ours", "rule", "verdict"]


def read(text: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)


@pytest.mark.slow
def test_the_stored_verdicts_are_those_of_the_stored_runs() -> None:
    """If runs, rules or estimates have changed: make readme."""
    paper = reading.read("entropy")
    claims = [  # what stands beside a number decides nothing, and takes as long again
        replace(claim, criteria=tuple(replace(one, sensitivity=()) for one in claim.criteria))
        for claim in paper.claims
    ]
    judged = judge.judge(claims, paper.runs(STORED))
    stored = read((ROOT / VERDICTS).read_text())
    assert stored["id"].tolist() == [one.claim.id for one in judged]
    assert stored["verdict"].tolist() == [one.verdict for one in judged]
    for said, one in zip(stored["ours"], judged):
        assert said == "; ".join(dict.fromkeys(words.ours(outcome) for outcome in one.outcomes))


def test_no_number_has_changed_by_the_form_of_the_claims() -> None:
    shown = subprocess.run(["git", "show", OLD], cwd=ROOT, capture_output=True, text=True)
    if shown.returncode:
        pytest.skip("not a clone with the commit of the old verdicts")
    stored = read((ROOT / VERDICTS).read_text())
    pd.testing.assert_frame_equal(stored[KEPT], read(shown.stdout)[KEPT])
