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
KEPT = ["id", "where", "statement", "published"]


def read(text: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)


@pytest.mark.slow(seconds=20)
def test_the_stored_verdicts_are_those_of_the_stored_runs() -> None:
    """If runs, rules or estimates have changed: make readme."""
    paper = reading.read("entropy")
    claims = [  # what stands beside a number decides nothing, and takes as long again
        replace(
            claim,
            criteria=tuple(replace(one, sensitivity=()) for one in claim.criteria),
            beside=(),
        )
        for claim in paper.claims
    ]
    judged = judge.judge(claims, paper.runs(STORED), added=paper.added)
    stored = read((ROOT / VERDICTS).read_text())
    assert stored["id"].tolist() == [one.claim.id for one in judged]
    assert stored["verdict"].tolist() == [one.verdict for one in judged]
    for said, one in zip(stored["ours"], judged):
        assert said == "; ".join(dict.fromkeys(words.ours(outcome) for outcome in one.outcomes))
    for said, one in zip(stored["earlier_verdict"], judged):
        assert said == (one.earlier[0].verdict if one.earlier else one.verdict)


def test_the_first_rules_have_their_first_numbers_and_verdicts() -> None:
    """On the seeds that they were written for, whatever was trained and amended since; a mean time
    that no run bounds from above has no upper end any more."""
    shown = subprocess.run(["git", "show", OLD], cwd=ROOT, capture_output=True, text=True)
    if shown.returncode:
        pytest.skip("not a clone with the commit of the old verdicts")
    stored, old = read((ROOT / VERDICTS).read_text()), read(shown.stdout)
    stored = stored[stored["version"] == "1"]
    pd.testing.assert_frame_equal(stored[KEPT], old[KEPT])
    assert stored["earlier_verdict"].tolist() == old["verdict"].tolist()
    assert stored["earlier_rule"].tolist() == old["rule"].tolist()
    changed = stored["earlier_ours"] != old["ours"]
    assert stored["id"][changed].tolist() == ["E6-s5"]
