"""Plans of papers: read, refused, and complete."""

from pathlib import Path

import pytest
import yaml

from analysis.claims import reading
from analysis.reproduce import plan as plans
from grokpipe.config import registry
from grokpipe.config.composing import CONF
from grokpipe.config.resolving import resolve
from grokpipe.errors import InputError
from tests.helpers.cells import hydra_values


def write(folder: Path, text: str) -> Path:
    (folder / "made").mkdir()
    (folder / "made" / plans.PLAN).write_text(text)
    return folder


@pytest.mark.parametrize("paper", plans.papers())
def test_a_plan_has_every_experiment_of_its_paper(paper: str) -> None:
    plan = plans.read(paper)
    planned = {one.name for one in plan.experiments}
    there = {path.stem for path in (CONF / "experiment" / paper).glob("*.yaml")}
    assert there - planned - plan.left_out.keys() == set()
    assert planned - there == set()
    measures = {name for one in (*plan.experiments, *plan.others) for name in one.remeasure}
    assert measures - {*registry.names("measures")} == set()
    if paper in reading.names():
        claims = yaml.safe_load((reading.PAPERS / paper / reading.CLAIMS).read_text())
        named = {arm["experiment"] for arm in claims["arms"].values()}
        own = {name for name in named if "/" not in name}
        assert own - planned - plan.left_out.keys() == set()


@pytest.mark.slow(seconds=4)
@pytest.mark.parametrize("paper", plans.papers())
def test_a_trial_of_every_experiment_is_a_valid_cell(paper: str) -> None:
    """SMALL=1 of the flatness paper was refused: what it set did not fit one experiment."""
    for one in plans.read(paper).experiments:
        small = ["seed=0" if text.startswith("seed=") else text for text in one.small]
        values = hydra_values([f"experiment={paper}/{one.name}", *small])
        assert resolve(values).name == f"{paper}_small"


def test_every_paper_with_claims_has_a_plan() -> None:
    judged = {name for name in reading.names() if reading.read(name).claims}
    assert judged <= {*plans.papers()}


def test_a_plan_is_read_in_its_order(tmp_path: Path) -> None:
    text = """
    experiments:
      second: {remeasure: [spectral, logits]}
      first: {small: ["a=1"]}
      fourth: {remeasure: [flatness]}
    left_out: {third: too long, fourth: for a GPU}
    small: [steps=10]
    """
    plan = plans.read("made", write(tmp_path, text))
    assert [one.name for one in plan.experiments] == ["second", "first"]
    assert plan.experiments[0].remeasure == ("spectral", "logits")
    assert plan.experiments[1].small == ("steps=10", "a=1")
    assert plan.left_out == {"third": "too long", "fourth": "for a GPU"}
    chosen = plan.only(["third", "first"])
    assert [one.name for one in chosen.experiments] == ["first", "third"]
    assert chosen.experiments[1].small == ("steps=10",)
    (named,) = plan.only(["fourth"]).experiments
    assert (named.remeasure, named.small) == (("flatness",), ("steps=10",))
    with pytest.raises(InputError, match="--only forth: no such experiment; valid: second, first"):
        plan.only(["first", "forth"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("experiments: [a]", "made/reproduce.yaml: experiments="),
        ("experiments: {a: {measure: [b]}}", "a: no such key measure; valid: remeasure, small"),
        ("experiments: {a: }", "field 'experiments.a' is not Optional"),
        ("left_out: {a: b}", "experiments is missing"),
        ("experiments: {a: {}", "not YAML: "),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError) as raised:
        plans.read("made", write(tmp_path, text))
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_an_unknown_paper_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^grokking: no such paper; valid: made$"):
        plans.read("grokking", write(tmp_path, "experiments: {}"))
