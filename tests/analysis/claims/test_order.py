"""The order of rules and runs, in repositories made for it."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import yaml

from analysis.claims import order, schema
from analysis.claims.estimate import Estimate
from analysis.claims.judge import Judged, Outcome, Part
from analysis.claims.order import Order, orders
from analysis.runs.tables import Tables
from analysis.stats.intervals import Interval
from tests.helpers import toy_paper

OWN = "papers/entropy/claims.yaml"


class Repository:
    """A clone with a claims file, and commits that change it or something else."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.content = yaml.safe_load((toy_paper.FOLDER / "entropy" / "claims.yaml").read_text())
        self.git("init", "-q")
        self.git("config", "user.email", "nobody@example.org")
        self.git("config", "user.name", "Nobody")

    def git(self, *arguments: str) -> str:
        command = ["git", "-C", str(self.folder), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def write(self, path: str = OWN) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml.safe_dump(self.content, allow_unicode=True))

    def commit(self, path: str = OWN) -> str:
        self.write(path)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "x")
        return self.git("rev-parse", "HEAD")

    def claim(self, id: str) -> dict:
        return next(one for one in self.content["claims"] if one["id"] == id)

    def order(self, id: str, *trained: str, **changes: object) -> Order:
        paper = replace(toy_paper.read(), path=self.folder / OWN, **changes)  # type: ignore[arg-type]
        cells = pd.DataFrame(
            {"key": list(map(str, range(len(trained)))), "processor": "p", "commit": trained}
        )
        behind = Tables(cells[["key"]], cells, self.folder)
        claim = next(one for one in paper.claims if one.id == id)
        estimate = Estimate(Interval(0, 0, 0, ""), len(trained), behind)
        outcome = Outcome(claim.criteria[0], (Part("", estimate, None, True),))
        order._commit.cache_clear()
        return orders(paper, [Judged(claim, (outcome,), "reproduced")])[id]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def test_a_rule_in_the_tree_that_trained_the_runs_came_first(repository: Repository) -> None:
    rule = repository.commit()
    later = repository.commit()
    found = repository.order("D", rule, later)
    assert found.rule is not None and found.earliest is not None and found.latest is not None
    assert (found.rule.hash, found.earliest.hash, found.latest.hash) == (rule, rule, later)
    assert (found.before, found.runs, found.said) == (0, 2, "before its runs")


def test_a_changed_bound_is_younger_than_the_runs_before_it(repository: Repository) -> None:
    first = repository.commit()
    repository.claim("D")["criteria"][0]["within"] = [4_000, float("inf")]
    second = repository.commit()
    found = repository.order("D", first, first, second)
    assert found.rule is not None and found.rule.hash == second
    assert found.said == "post hoc for 2 of 3 runs"
    assert repository.order("D", first).said == "post hoc"
    assert repository.order("C", first).said == "before its runs"  # of another claim


def test_words_beside_the_rule_change_nothing(repository: Repository) -> None:
    first = repository.commit()
    repository.claim("D").update(statement="Another sentence.", caveat="So what.")
    repository.claim("D")["criteria"][0].update(published=1, no_effect=0)
    repository.content["arms"]["baseline"]["label"] = "plain"
    repository.commit()
    assert repository.order("D", first).said == "before its runs"


@pytest.mark.parametrize(
    "change",
    [
        {"used": True},
        {"premise": {"estimate": "times.grokked", "every": True, "runs": 1}},
        {"criteria": [{"estimate": "times.bare", "within": [5_000, float("inf")]}]},
    ],
)
def test_another_estimate_premise_or_use_is_another_rule(
    repository: Repository, change: dict
) -> None:
    first = repository.commit()
    repository.claim("D").update(change)
    second = repository.commit()
    found = repository.order("D", first)
    assert found.rule is not None and (found.rule.hash, found.said) == (second, "post hoc")


def test_other_runs_of_an_arm_are_another_rule(repository: Repository) -> None:
    first = repository.commit()
    repository.content["arms"]["baseline"]["where"] = {"seed": "< 2"}
    repository.commit()
    assert repository.order("D", first).said == "post hoc"


def test_another_notation_keeps_the_rule_if_its_bounds_are_kept(repository: Repository) -> None:
    old = "claims/entropy.yaml"
    new = [dict(one) for one in repository.content["claims"]]
    for one in repository.content["claims"]:
        one["criteria"] = [
            {"quantity": c["estimate"], **{k: c[k] for k in ("within", "every", "runs") if k in c}}
            for c in one["criteria"]
        ]
    first = repository.commit(old)
    (repository.folder / old).unlink()
    repository.content["claims"] = new
    rewritten = repository.commit()
    files = {"files": (old,), "restated": (rewritten[:7],)}
    assert repository.order("D", first, **files).said == "before its runs"
    assert repository.order("D", first, files=(old,)).said == "post hoc"
    repository.claim("D")["criteria"] = [{"estimate": "times.mean_time", "within": [0, 1]}]
    again = repository.commit()
    both = (rewritten, again)
    assert repository.order("D", first, files=(old,), restated=both).said == "post hoc"


def test_a_change_that_is_not_committed_has_no_commit(repository: Repository) -> None:
    first = repository.commit()
    repository.claim("D")["criteria"][0]["within"] = [1, 2]
    repository.write()
    found = repository.order("D", first)
    assert (found.rule, found.said) == (None, "")
    assert repository.order("C", first).said == "before its runs"


def test_runs_of_unknown_commits_are_not_counted(repository: Repository) -> None:
    rule = repository.commit()
    found = repository.order("D", "c0ffee", "unknown", rule)
    assert (found.runs, found.said) == (1, "before its runs")
    assert repository.order("D", "c0ffee").said == ""


def test_away_from_a_clone_there_is_no_order(tmp_path: Path) -> None:
    paper = replace(toy_paper.read(), path=tmp_path / OWN)
    (tmp_path / OWN).parent.mkdir(parents=True)
    (tmp_path / OWN).write_text("claims: []")
    assert orders(paper, []) == {}


def test_the_entropy_paper_s_first_rules_are_older_than_its_runs() -> None:
    """Those that were never amended, by the repository itself."""
    from analysis.claims import reading

    paper = reading.read("entropy")
    root = order._root(paper.path)
    if root is None or not order._commits(root, list(paper.files)):
        pytest.skip("not a clone with its history")
    history = order._history(paper, root)
    written = {
        claim.id: order._last_change(claim.id, history, paper.restated)
        for claim in paper.claims
        if not claim.amended and claim.version == 1
    }
    # a clone may hold changes that are not committed; committed ones are of the day of the rules
    assert {commit.date for commit in written.values() if commit} == {"2026-11-25"}
    assert isinstance(paper, schema.Paper)
