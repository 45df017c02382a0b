"""The stored verdicts are those of the stored runs."""

import pandas as pd
import pytest

from analysis.claims import judge, schema
from analysis.report import words
from analysis.runs.experiments import Experiments
from tests.helpers.cli import ROOT

STORED = ROOT / "outputs" / "reference" / "entropy"


@pytest.mark.slow
def test_the_stored_verdicts_are_those_of_the_stored_runs() -> None:
    """If runs, rules or quantities have changed: make readme."""
    paper = schema.read("entropy")
    judged = judge.judge(paper.claims, Experiments(STORED))
    stored = pd.read_csv(STORED / "report" / "verdicts.csv", dtype=str, keep_default_na=False)
    assert stored["id"].tolist() == [one.claim.id for one in judged]
    assert stored["verdict"].tolist() == [one.verdict for one in judged]
    for said, one in zip(stored["ours"], judged):
        assert said == "; ".join(dict.fromkeys(words.ours(outcome) for outcome in one.outcomes))
