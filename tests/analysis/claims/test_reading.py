"""Claims of a paper as they are read: by the file, and by nothing outside its package."""

from pathlib import Path

import pytest
import yaml

from analysis.claims import reading, schema
from analysis.claims.estimators import ESTIMATORS
from analysis.claims.rules import Every, Within
from grokpipe.errors import InputError
from tests.helpers import toy_paper


def read(folder: Path, content: object) -> schema.Paper:
    text = content if isinstance(content, str) else yaml.safe_dump(content, allow_unicode=True)
    (folder / "entropy").mkdir(exist_ok=True)
    (folder / "entropy" / "claims.yaml").write_text(text)
    return reading.read("entropy", folder, toy_paper.__name__)


def content() -> dict:
    return yaml.safe_load((toy_paper.FOLDER / "entropy" / "claims.yaml").read_text())


def test_everything_is_typed() -> None:
    found = toy_paper.read()
    time, every, mixing, bare, *_, lemma = found.claims
    assert (time.id, time.figure, time.used) == ("A-time", 1, False)
    assert [(criterion.rule.lower, criterion.rule.upper) for criterion in time.criteria] == [
        (100.0, 300.0), (-float("inf"), 1000.0)
    ]  # fmt: skip
    assert mixing.criteria[0].rule == Within(1.0, float("inf"))
    assert mixing.criteria[0].call.args == {"of": "mixing"}
    assert mixing.published == "1000"  # YAML's number
    assert bare.published == "0.655"
    assert (lemma.figure, lemma.criteria[0].rule) == (None, Every(1000))
    assert [claim.id for claim in found.claims if claim.used] == ["E-used"]
    assert found.tables[0].frame.values.tolist() == [
        ["Baseline <i>", "3/3", "–"], ["Mixing", "2/3", "+1,000"]
    ]  # fmt: skip
    (criterion,) = every.criteria
    assert [variant.label for variant in criterion.sensitivity] == [
        "before 250", "evaluated every 200 steps"
    ]  # fmt: skip
    assert {name: arm.experiment for name, arm in found.arms.items()} == {
        "baseline": "e1_baseline", "mixing": "e2_mixing", "settings": "e0"
    }  # fmt: skip


def test_the_entropy_paper_can_be_read_and_names_each_figure() -> None:
    """Every estimate of its claims is there, and so are figures 1 to 12."""
    found = reading.read("entropy")
    assert [sum(claim.version == v for claim in found.claims) for v in (1, 2)] == [51, 20]
    assert len(found.later) == 1
    assert found.figure_numbers() == list(range(1, 13))
    assert {claim.figure for claim in found.claims} == {*range(1, 13), None}
    assert [table.name for table in found.tables] == ["Table 1", "Table 2", "Table 3"]


def test_an_unknown_paper_names_the_valid_ones() -> None:
    with pytest.raises(InputError, match="entrpy: no such paper; valid: "):
        reading.read("entrpy")


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"figur": 1}, ["claim A-time", "no such key figur; valid: id, where, statement"]),
        ({"experiment": "e1_baseline"}, ["claim A-time", "no such key experiment"]),
        ({"figure": 4}, ["claim A-time", "figure=4", "valid: 1, 2, 3"]),
        ({"figure": "one"}, ["claim A-time", "figure=one"]),
        ({"used": "maybe"}, ["claim A-time", "used=maybe"]),
        ({"statement": ["x"]}, ["claim A-time", "statement=['x']"]),
        ({"statement": None}, ["claim A-time", "statement=None"]),
        ({"criteria": []}, ["claim A-time", "criteria: none"]),
        ({"criteria": {}}, ["claim A-time", "criteria={}"]),
        ({"criteria": [3]}, ["claim A-time", "criteria=[3]"]),
        ({"id": ["x"]}, ["claims[0]", "id=['x']"]),
        ({"statement": "${oc.env:HOME}"}, ["must not refer"]),
        ({"version": 2}, ["claim A-time", "version=2: no such version; valid: 1"]),
    ],
)
def test_a_wrong_claim_is_named_with_its_key(tmp_path: Path, change: dict, parts: list) -> None:
    wrong = content()
    wrong["claims"][0] |= change
    with pytest.raises(InputError) as error:
        read(tmp_path, wrong)
    for part in parts:
        assert part in str(error.value)
    assert "\n" not in str(error.value)


OWN = {"estimate": "times.mean_time"}
EVERY = {"every": True, "runs": 3}


@pytest.mark.parametrize(
    ("criterion", "part"),
    [
        ({"within": [0, 1]}, "estimate is missing"),
        (
            {"quantity": "times.mean_time", "within": [0, 1]},
            "no such key quantity; valid: estimate",
        ),
        (OWN, "needs either within, both every and runs, or replicates"),
        ({**OWN, "within": [0, 1], **EVERY}, "either"),
        ({**OWN, "every": True}, "both every and runs"),
        ({**OWN, "within": [0, 1], "runs": 3}, "both every and runs"),
        ({**OWN, "every": False, "runs": 3}, "every=False"),
        ({**OWN, "every": True, "runs": 0}, "runs=0"),
        ({**OWN, "every": True, "runs": True}, "runs=True"),
        ({**OWN, "within": [1, 0]}, "within=[1.0, 0.0]: the lower end"),
        ({**OWN, "within": [1, "x"]}, "within=[1, 'x']"),
        ({**OWN, "within": [True, 2]}, "within=[True, 2]"),
        ({**OWN, "within": [0, float("nan")]}, "two numbers"),
        ({**OWN, "within": [0, 1, 2]}, "two numbers"),
        ({**OWN, "within": 3}, "within=3"),
        ({"estimate": "men_time", "within": [0, 1]}, f"valid: {', '.join(ESTIMATORS)}, or module"),
        ({"estimate": "times.mean_tme", "within": [0, 1]}, "valid: mean_time, grokked, delay"),
        ({"estimate": "tims.mean_time", "within": [0, 1]}, "no such module; valid: times"),
        # what a module has, but is no estimate of it, and what lies outside the package
        ({"estimate": "times.tables", "within": [0, 1]}, "no such function"),
        ({"estimate": "times.none", "within": [0, 1]}, "no such function"),
        ({"estimate": "times.times", "within": [0, 1]}, "no such function"),
        ({"estimate": "times.late", "within": [0, 1]}, "no such function"),
        ({"estimate": "times.Estimate", "within": [0, 1]}, "no such function"),
        ({"estimate": "os.system", "within": [0, 1]}, "no such module"),
        ({"estimate": "times.pd.read_pickle", "within": [0, 1]}, "no such function"),
        ({"estimate": "__init__.read", "within": [0, 1]}, "no such module"),
        ({**OWN, "args": {"of": "mixing"}, "within": [0, 1]}, "no such argument of; valid: none"),
        ({**OWN, "args": [3], "within": [0, 1]}, "args=[3]"),
        ({"estimate": "times.delay", "within": [0, 1]}, "times.delay: argument of is missing"),
        ({**OWN, "within": [0, 1], "sensitivity": [{"of": "x"}]}, "sensitivity[0]"),
        ({**OWN, "within": [0, 1], "sensitivity": [{"split": 3}]}, "split=3"),
        (
            {
                "estimate": "delay",
                "args": {"of": "mixing"},
                "within": [0, 1],
                "sensitivity": [{"split": "intervention.alpha"}],
            },
            "split=intervention.alpha: no arm is divided by it; valid: none",
        ),
        ({**OWN, "within": [0, 1], "sensitivity": [{"spacing": 0}]}, "spacing=0"),
        ({**OWN, "within": [0, 1], "sensitivity": {"spacing": 2}}, "sensitivity="),
    ],
)
def test_a_wrong_criterion_is_named(tmp_path: Path, criterion: dict, part: str) -> None:
    wrong = content()
    wrong["claims"][1]["criteria"] = [criterion]
    with pytest.raises(InputError) as error:
        read(tmp_path, wrong)
    assert "claim A-all: criteria[0]" in str(error.value)
    assert part in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("claims: [", "not YAML"),
        ("!!python/object/apply:os.system [echo]", "not YAML"),
        ("- 1", "must be keys with values"),
        ("paper: {title: x, cite: y}", "claims is missing"),
        ("paper: {title: x}\nclaims: []", "cite is missing"),
        ("paper: {title: x, cite: y}\nclaims: []\nrules: []", "no such key rules"),
        ("paper: {title: x, cite: y}\nclaims: [3]", "claims=[3]"),
        ("paper: {title: x, cite: y}\nclaims: []\narms: {a: {by: x}}", "experiment is missing"),
        (
            "paper: {title: x, cite: y}\nclaims: []\narms: {a: {experiment: x, were: {}}}",
            "arm a: no such key were; valid: experiment, by, where, label",
        ),
        (
            "paper: {title: x, cite: y}\nclaims: []\narms: {a: {experiment: x, where: {b: < c}}}",
            "arm a: where: b: < c: must compare with a number",
        ),
    ],
)  # fmt: skip
def test_a_wrong_file_is_one_line(tmp_path: Path, text: str, part: str) -> None:
    with pytest.raises(InputError) as error:
        read(tmp_path, text)
    assert part in str(error.value)
    assert "\n" not in str(error.value)


def test_a_claim_is_of_the_first_version_unless_it_says_so(tmp_path: Path) -> None:
    several = content()
    version = {"title": "Made up again", "written": "2026-11-28", "known": "all runs"}
    several["paper"]["later"] = [version]
    several["claims"][1]["version"] = 2
    found = read(tmp_path, several)
    assert found.later == (schema.Version(**version),)
    assert [(claim.version, claim.written) for claim in found.claims[:3]] == [
        (1, ""), (2, "2026-11-28"), (1, "")
    ]  # fmt: skip
    several["claims"][1]["version"] = 3
    with pytest.raises(InputError, match="A-all: version=3: no such version; valid: 1, 2"):
        read(tmp_path, several)
    several["paper"]["later"] = [version | {"written": "tomorrow"}]
    with pytest.raises(InputError, match=r"later\[0\]: written=tomorrow: must be a date"):
        read(tmp_path, several)


def test_no_claim_stands_there_twice(tmp_path: Path) -> None:
    wrong = content()
    wrong["claims"][1]["id"] = "A-time"
    with pytest.raises(InputError, match="claim A-time: stands there twice"):
        read(tmp_path, wrong)
