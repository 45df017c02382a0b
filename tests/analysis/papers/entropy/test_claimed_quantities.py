"""What the claims of these modules name is there, and refuses to speak of runs that are not."""

from importlib import import_module
from pathlib import Path

import pytest
import yaml

import analysis
from analysis.runs.experiments import Experiments, NotRun

CLAIMS = Path(analysis.__file__).parent / "papers" / "entropy" / "claims.yaml"
MODULES = (
    "arms", "universality", "networks", "diagnosis", "theory", "baseline", "leads", "norms",
    "predictors", "forecasts", "probes", "pilots", "stopping", "necessity",
)  # fmt: skip
ALONE = ("theory.lemma_1", "theory.lemma_2", "theory.lemma_5")  # need no runs


def claimed() -> list[str]:
    claims = yaml.safe_load(CLAIMS.read_text())["claims"]
    named = {criterion["quantity"] for claim in claims for criterion in claim["criteria"]}
    return sorted(name for name in named if name.split(".")[0] in MODULES)


@pytest.mark.parametrize("name", claimed())
def test_a_claimed_quantity_is_a_function_that_raises_not_run(name: str, tmp_path: Path) -> None:
    module, _, function = name.partition(".")
    quantity = getattr(import_module(f"analysis.papers.entropy.estimates.{module}"), function)
    if name in ALONE:
        assert quantity(Experiments(tmp_path)).tables is None
        return
    with pytest.raises(NotRun):
        quantity(Experiments(tmp_path))


def test_the_claims_name_all_of_these_modules() -> None:
    assert {name.split(".")[0] for name in claimed()} == set(MODULES)
