"""The shape of the code: imports run one way, analysis needs no PyTorch, tests mirror modules."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.cli import ENVIRONMENT, ROOT

ORDER = {
    "grokpipe": [
        {"errors"},
        {"randomness", "losses", "schedule"},
        {"curves"},
        {"config"},
        {"store"},
        {"tasks"},
        {"archs", "optimizers", "interventions", "measures"},
        {"cell"},
        {"training"},
        {"provenance"},
        {"saved_run", "remeasure", "fingerprint"},
        {"launch"},
        {"executors"},
        {"monitor"},
        {"__main__"},
    ],
    "analysis": [
        {"stats", "runs"},
        {"output"},
        {"times"},
        {"forecasting"},
        {"figures"},
        {"claims"},
        {"papers"},
        {"report"},
        {"commands"},
        {"__main__"},
    ],
}
"""nothing imports from a later line, nor from its own line but itself"""
DIRECTLY = {"grokpipe": 12, "analysis": 3}
"""modules that may lie beside the packages, at most"""
BESIDE = 16
"""modules that may lie in one folder, at most"""


def modules(root: str) -> Iterator[tuple[str, Path]]:
    for path in sorted((ROOT / root).rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        yield name.removesuffix(".__init__"), path


KNOWN = {name: path for root in ORDER for name, path in modules(root)}


def imported(path: Path) -> set[str]:
    """The modules of ours that a file imports anywhere: lazily and for types too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in KNOWN else str(node.module) for name in whole}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


ARROWS = {name: imported(path) & KNOWN.keys() for name, path in KNOWN.items()}


def place(name: str) -> tuple[str, int, str]:
    """Root, line of ORDER and package of a module."""
    root, _, rest = name.partition(".")
    package = rest.partition(".")[0]
    lines = [i for i, line in enumerate(ORDER[root]) if package in line]
    assert lines, f"{name}: in no line of ORDER"
    return root, lines[0], package


def runs_back(source: str, target: str) -> bool:
    """Whether an import goes from a package to a later one."""
    if "." not in target or "." not in source:
        return False  # the root packages themselves hold nothing but `grokpipe.load`
    (root, line, package), (root_2, line_2, package_2) = place(source), place(target)
    if root != root_2:
        return root == "grokpipe"  # which never imports analysis
    return line_2 > line or (line_2 == line and package != package_2)


def test_imports_run_one_way() -> None:
    back = [
        f"{source} → {target}"
        for source, targets in ARROWS.items()
        for target in targets
        if runs_back(source, target)
    ]
    assert back == []


def test_no_imports_go_round() -> None:
    """Lazy and typing imports included; a module may import its own package, never the reverse but
    to hand on names."""
    left = {name: targets - {name} for name, targets in ARROWS.items() if "." in name}
    while free := [name for name, targets in left.items() if not targets & left.keys()]:
        for name in free:
            del left[name]
    assert sorted(left) == []


def test_analysis_needs_no_torch() -> None:
    names = [name for name in KNOWN if name.startswith("analysis") and "__main__" not in name]
    code = f"import sys\nfor name in {names}: __import__(name)\nprint('torch' in sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", code], env=ENVIRONMENT, cwd=ROOT, capture_output=True, text=True
    )
    assert (ran.stdout.strip(), ran.stderr) == ("False", "")


@pytest.mark.parametrize("package", ["curves", "config", "store"])
def test_packages_that_analysis_reads_need_no_torch(package) -> None:
    """But for the files of tensors, which import it themselves."""
    names = [
        name
        for name in KNOWN
        if name.startswith(f"grokpipe.{package}") and name != "grokpipe.store.checkpoint"
    ]
    code = f"import sys\nfor name in {names}: __import__(name)\nprint('torch' in sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", code], env=ENVIRONMENT, cwd=ROOT, capture_output=True, text=True
    )
    assert (ran.stdout.strip(), ran.stderr) == ("False", "")


@pytest.mark.parametrize("root", DIRECTLY)
def test_few_modules_lie_side_by_side(root) -> None:
    assert len(list((ROOT / root).glob("*.py"))) <= DIRECTLY[root]
    for folder in {path.parent for _, path in modules(root)}:
        beside = sorted(path.name for path in folder.glob("*.py"))
        assert len(beside) <= BESIDE, f"{folder}: {', '.join(beside)}"
