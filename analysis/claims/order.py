"""Which came first, the rule or the runs: read from the history of the repository.

A rule precedes a run if the commit that last changed it is an ancestor of the commit that trained
the run, or that commit itself: then the rule stood in the tree that trained it. Dates are shown,
and decide nothing.
"""

import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from analysis.claims.judge import Judged
from analysis.claims.schema import Paper
from analysis.runs.rows import UNKNOWN

BOUNDS = ("within", "every", "runs", "replicates", "each", "of_strengths")
LABELS = ("label",)
"""keys of an arm that do not choose its runs"""
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Commit:
    """A commit, by its hash and date."""

    hash: str
    date: str

    def __str__(self) -> str:
        return f"{self.hash[:10]} ({self.date})"


@dataclass(frozen=True)
class Order:
    """The commit that last changed a claim's rule, and those that trained its runs."""

    rule: Commit | None
    """None: not of a clone with its history, or changed and not committed"""
    earliest: Commit | None
    latest: Commit | None
    """None: no run, or trained by commits that this clone does not have"""
    before: int
    """runs that were trained by a commit without the rule"""
    runs: int
    """runs behind the claim that this clone knows the commit of"""

    @property
    def said(self) -> str:
        """Post hoc, in part post hoc, or before its runs; empty where that is not known."""
        if self.rule is None or not self.runs:
            return ""
        if not self.before:
            return "before its runs"
        if self.before == self.runs:
            return "post hoc"
        return f"post hoc for {self.before} of {self.runs} runs"


def orders(paper: Paper, judged: Sequence[Judged]) -> dict[str, Order]:
    """By the id of the claim. Empty away from a clone of the repository with its history."""
    root = _root(paper.path)
    if root is None:
        return {}
    history = _history(paper, root)
    if not history:
        return {}
    found = {}
    for one in judged:
        rule = _last_change(one.claim.id, history, paper.restated)
        trained = _trained(one)
        known = {text: commit for text in set(trained) if (commit := _commit(root, text))}
        commits = sorted(known.values(), key=lambda commit: _position(root, commit.hash))
        without = sum(
            rule is not None and not _is_ancestor(root, rule.hash, known[text].hash)
            for text in trained
            if text in known
        )
        found[one.claim.id] = Order(
            rule,
            commits[0] if commits else None,
            commits[-1] if commits else None,
            without,
            sum(text in known for text in trained),
        )
    return found


def decisive(claim: Mapping[str, Any], arms: Mapping[str, Any]) -> tuple[Any, Any]:
    """What decides the verdict on a claim, of the nodes of a claims file: the bounds of its rules,
    which every notation of the file had, and the estimates with the arms that they name."""
    criteria = [*claim["criteria"], *([claim["premise"]] if claim.get("premise") else [])]
    bounds = [{name: c[name] for name in BOUNDS if c.get(name) is not None} for c in criteria]
    estimates = [
        {name: value for name, value in c.items() if name in ("estimate", "args")} for c in criteria
    ]
    named = {name for c in criteria for name in _names(c.get("args", {}), arms)}
    chosen = {
        name: {key: value for key, value in arms[name].items() if key not in LABELS}
        for name in sorted(named)
    }
    return (bool(claim.get("used")), bounds), (estimates, chosen)


def _names(args: Mapping[str, Any], arms: Mapping[str, Any]) -> Iterable[str]:
    """The arms that arguments name; the baseline always, with which arms are compared."""
    values = [v for value in args.values() for v in (value if isinstance(value, list) else [value])]
    return {name for name in ("baseline", *values) if isinstance(name, str) and name in arms}


Version = tuple[Commit, dict[str, tuple[Any, Any]]]


def _history(paper: Paper, root: Path) -> list[Version]:
    """What decided each claim at each commit that changed the file, oldest first; without the
    last one where the file differs from it."""
    own = str(paper.path.resolve().relative_to(root))
    versions = []
    for hash, date in _commits(root, [own, *paper.files]):
        text = next(
            (t for path in (own, *paper.files) if (t := _git(root, "show", f"{hash}:{path}"))), ""
        )
        versions.append((Commit(hash, date), _decisive(text)))
    now = _decisive(paper.path.read_text())
    if versions and versions[-1][1] != now:
        versions.append((Commit("", "not committed"), now))
    return versions


def _decisive(text: str) -> dict[str, tuple[Any, Any]]:
    content = yaml.load(text, Loader=Loader) or {}  # a safe loader
    arms = content.get("arms", {})
    return {str(one["id"]): decisive(one, arms) for one in content.get("claims", [])}


def _last_change(id: str, history: Sequence[Version], restated: Sequence[str]) -> Commit | None:
    """The first commit since which the rule is what it is now."""
    since: Commit | None = None
    current: tuple[Any, Any] | None = None
    after: Commit | None = None
    for commit, claims in reversed(history):
        found = claims.get(id)
        if found is None:
            break
        if current is not None and found != current:
            notation = after is not None and after.hash.startswith(tuple(restated) or ("–",))
            if not (notation and found[0] == current[0]):
                break
        current, after, since = found, commit, commit
    return since if since is not None and since.hash else None


def _trained(judged: Judged) -> list[str]:
    """The commit that began to train each run behind a claim, with its premise."""
    outcomes = (*judged.outcomes, *([judged.premise] if judged.premise else []))
    commits: dict[str, str] = {}
    for outcome in outcomes:
        for estimate in outcome.estimates:
            if estimate.tables is not None:
                cells = estimate.tables.cells
                keys = cells["key"] + " " + cells["processor"]  # a cell may be trained again
                commits |= dict(zip(keys, cells["commit"].str.split().str[0], strict=True))
    return [commit for commit in commits.values() if commit != UNKNOWN]


def _root(path: Path) -> Path | None:
    found = _git(path.resolve().parent, "rev-parse", "--show-toplevel")
    return Path(found).resolve() if found else None


@cache
def _commit(root: Path, hash: str) -> Commit | None:
    date = _git(root, "log", "-1", "--format=%cs", hash, "--")
    return Commit(hash, date) if date else None


@cache
def _position(root: Path, hash: str) -> int:
    """Number of commits that lead to one."""
    return int(_git(root, "rev-list", "--count", hash) or 0)


@cache
def _is_ancestor(root: Path, first: str, second: str) -> bool:
    if not first:
        return False
    command = ["git", "-C", str(root), "merge-base", "--is-ancestor", first, second]
    return subprocess.run(command, capture_output=True).returncode == 0


def _commits(root: Path, paths: Sequence[str]) -> list[tuple[str, str]]:
    lines = _git(root, "log", "--reverse", "--format=%H %cs", "--", *paths).splitlines()
    return [(hash, date) for hash, date in (line.split() for line in lines)]


def _git(root: Path, *arguments: str) -> str:
    """Output of git; empty where it fails or is not there."""
    try:
        command = ["git", "-C", str(root), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
