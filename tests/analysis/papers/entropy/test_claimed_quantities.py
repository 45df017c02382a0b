"""The claims: no estimate without its runs, and the rules as they were written."""

import subprocess
from pathlib import Path

import pytest
import yaml

from analysis.claims.reading import PAPERS
from analysis.runs.experiments import NotRun
from tests.helpers.cli import ROOT
from tests.helpers.entropy_runs import PAPER, reading

OLD = "90dec69:analysis/claims/entropy.yaml"
"""the claims as they stood when their quantities were still functions"""
ALONE = {"theory.lemma_1", "theory.lemma_2", "theory.lemma_5"}  # need no runs
CALLS = {
    criterion.call.key: criterion.call for claim in PAPER.claims for criterion in claim.criteria
}


@pytest.mark.parametrize("key", CALLS)
def test_an_estimate_without_runs_raises_not_run(key: str, tmp_path: Path) -> None:
    call = CALLS[key]
    if call.name in ALONE:
        assert call(reading(tmp_path)).tables is None
        return
    with pytest.raises(NotRun):
        call(reading(tmp_path))


def test_the_first_rules_stand_as_they_were_written() -> None:
    """Only how an estimate is named may change; what was amended is kept beside the new rule."""
    shown = subprocess.run(["git", "show", OLD], cwd=ROOT, capture_output=True, text=True)
    if shown.returncode:
        pytest.skip("not a clone with the commit of the old claims")
    old = yaml.safe_load(shown.stdout)
    new = yaml.safe_load((PAPERS / "entropy" / "claims.yaml").read_text())
    assert old["paper"].items() <= new["paper"].items()
    assert old["tables"] == new["tables"]
    kept = ("id", "where", "statement", "published", "figure", "used")
    ruled = ("within", "every", "runs")
    first_version = [claim for claim in new["claims"] if "version" not in claim]
    for before, after in zip(old["claims"], first_version, strict=True):
        assert [before.get(key) for key in kept] == [after.get(key) for key in kept]
        first = after["amended"][0] if "amended" in after else after
        assert [[one.get(key) for key in ruled] for one in before["criteria"]] == [
            [one.get(key) for key in ruled] for one in first["criteria"]
        ]
    settings = yaml.safe_load((PAPERS / "entropy" / "settings.yaml").read_text())
    assert old["fingerprint"] == settings


def test_most_estimates_are_shared_ones() -> None:
    """80 quantities: by 25 functions of the paper's own, 13 of one curve, the others by YAML."""
    own = {call.name for call in CALLS.values() if "." in call.name}
    of_curves = [call for call in CALLS.values() if {"test", "value"} & call.args.keys()]
    assert (len(CALLS), len(own), len(of_curves)) == (80, 25, 13)
