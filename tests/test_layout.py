"""The shape of the code: imports run one way, analysis needs no PyTorch, tests mirror modules."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from analysis.commands import COMMANDS
from tests.helpers.cli import ENVIRONMENT, ROOT

ORDER = {
    "grokpipe": [
        {"errors"},
        {"plugins"},
        {"randomness", "losses", "precision", "schedule"},
        {"curves"},
        {"config"},
        {"store"},
        {"tasks"},
        {"archs", "optimizers", "interventions", "measures"},
        {"cell"},
        {"training"},
        {"provenance"},
        {"saved_run", "remeasure", "fingerprint"},
        {"testing"},
        {"launch"},
        {"executors"},
        {"survey"},
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
        {"reproduce"},
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


def test_help_is_shown_at_once() -> None:
    """Neither command imports what it takes to train or to read tables."""
    code = """
import sys
from analysis.__main__ import main as analysis
from grokpipe.__main__ import main as grokpipe

sys.argv = ["grokpipe", "--help"]
assert grokpipe() == 0
try:
    analysis(["--help"])
except SystemExit as ended:
    assert ended.code == 0
print({"torch", "pandas", "numpy", "scipy", "matplotlib", "pyarrow"} & {*sys.modules})
"""
    ran = subprocess.run(
        [sys.executable, "-c", code], env=ENVIRONMENT, cwd=ROOT, capture_output=True, text=True
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    *shown, loaded = ran.stdout.splitlines()
    assert loaded == "set()"
    text = "\n".join(shown)
    for part in (
        "task: cifar10, equations, fashion_mnist",
        "weight_decay: 0.1",
        "  grokpipe -m experiment=",
    ):
        assert part in text
    assert all(f"    {name} " in text or f"    {name}\n" in text for name in COMMANDS)


@pytest.mark.parametrize("root", DIRECTLY)
def test_few_modules_lie_side_by_side(root) -> None:
    assert len(list((ROOT / root).glob("*.py"))) <= DIRECTLY[root]
    for folder in {path.parent for _, path in modules(root)}:
        beside = sorted(path.name for path in folder.glob("*.py"))
        assert len(beside) <= BESIDE, f"{folder}: {', '.join(beside)}"


TOGETHER = {
    # modules that are alike, held to one another or to one oracle
    "grokpipe/interventions/test_norms.py": "_baseline _norm norm_match norm_freeze "
    "mixing_norm_match",
    "grokpipe/interventions/test_objectives.py": "mixing noise none",
    "grokpipe/interventions/test_span.py": "_moment head_norm",
    "grokpipe/tasks/test_images.py": "mnist fashion_mnist",
    "grokpipe/tasks/_sentences/test_table.py": "ag_news source sst2 trec",
    "grokpipe/tasks/test_sentences.py": "grokpipe.tasks._sentences.vocabulary "
    "grokpipe.tasks._sentences.words",
    "grokpipe/tasks/test_modular.py": "_pairs mod_add mod_sub mod_mul mod_div",
    "grokpipe/measures/test_fourier.py": "fourier_paper",
    "grokpipe/measures/information/test_codes.py": "autoencoder",
    "grokpipe/training/test_subnormals.py": "numerics",
    "grokpipe/training/test_turns.py": "stack",
    "grokpipe/training/test_pack.py": "trees "
    "grokpipe.training.programs.tracing grokpipe.optimizers.adamw grokpipe.optimizers.sgd",
    "grokpipe/optimizers/test_adam.py": "grokpipe.optimizers._moments",
    "analysis/runs/adopt/test_adopting.py": "cells guesses logs mapping roles runs sources summary "
    + " ".join(
        f"analysis.runs.adopt.readers.{name}"
        for name in ("csv", "jsonl", "npz", "parquet", "tensorboard", "wandb")
    ),
    "analysis/commands/test_adopt.py": "analysis.runs.adopt.writing",
    "analysis/commands/test_export.py": "analysis.output.export",
    "analysis/figures/test_survival.py": "style",
    "analysis/figures/test_arm_layout.py": "labels",
    "analysis/forecasting/test_forecasts.py": "analysis.figures.forecast",
    "analysis/forecasting/test_gap_laws.py": "law_intervals predictors",
    "analysis/times/test_contrasts.py": "mean_times",
    "analysis/claims/test_reading.py": "lookup nodes schema",
    "analysis/report/test_report.py": "run_sets contents pages summary",
    # parts of one thing, tested as that
    "grokpipe/test_cell.py": "grokpipe.config.schema grokpipe.config.resolving "
    "grokpipe.measures._columns",
    "grokpipe/test_remeasure.py": "grokpipe.store.remeasured",
    "grokpipe/provenance/test_fingerprint.py": "grokpipe.fingerprint",
    "grokpipe/launch/test_dashboard.py": "open_packs",
    "grokpipe/launch/test_launcher.py": "baselines executor grokpipe.executors.serial",
    "analysis/runs/test_gather.py": "analysis.commands.gather",
    "analysis/runs/test_restore.py": "analysis.commands.restore",
    "analysis/runs/test_configuration.py": "grokpipe.store.configuration",
    "analysis/runs/test_running.py": "grokpipe.store.running",
    "analysis/runs/test_status.py": "analysis.commands.status",
    "analysis/output/test_lineage.py": "analysis.commands.why",
    # as a user meets them: in what a command prints, in a sweep, on a cluster
    "end_to_end/test_command.py": "grokpipe.__main__ grokpipe.config.grids "
    "grokpipe.launch.outcomes grokpipe.training.progress",
    "grokpipe/testing/test_components.py": "grokpipe.testing.cells grokpipe.testing.training",
    "end_to_end/test_reproduce.py": "analysis.reproduce.command",
    "end_to_end/test_wrong_commands.py": "grokpipe.config.command grokpipe.config.hydra_errors",
    "end_to_end/slurm/test_slurm.py": "grokpipe.executors.slurm",
    "analysis/commands/test_commands.py": "analysis.__main__ figures timescales "
    "analysis.commands.common.reading analysis.commands.common.screen",
    "analysis/commands/test_selection.py": "analysis.commands.common.arguments "
    "analysis.commands.common.grouping",
    "analysis/commands/test_statistics_commands.py": "compare fit",
    "analysis/commands/test_forecast_commands.py": "forecast synchrony",
}
"""files that test several modules, by the modules without a file of their own; names without a
package are of the file's"""
WITHOUT = {
    "grokpipe.errors": "has no logic",
    "grokpipe.executors.settings": "has no logic",
    "grokpipe.training.execution": "has no logic",
    "analysis.claims.estimate": "has no logic",
    "analysis.commands.common.resampling": "has no logic",
    "analysis.commands.report": "is of the report, as its tests are",
}
BESIDES = {
    "analysis/commands/test_destinations.py": "--to of all commands",
    "analysis/commands/test_wrong_arguments.py": "wrong arguments of all commands",
    "analysis/commands/test_broken_tables.py": "every command on tables that are wrong",
    "analysis/commands/test_foreign_tables.py": "every command on tables of other programs",
    "analysis/runs/adopt/test_refused_logs.py": "what adopt refuses",
    "analysis/runs/test_equal_tables.py": "the same runs in any form give the same numbers",
    "analysis/times/test_margins.py": "margins of compare",
    "analysis/forecasting/test_synchrony_of_arms.py": "several arms of synchrony",
    "analysis/report/test_report_browser.py": "the report in a browser",
    "grokpipe/monitor/test_monitor_state.py": "the state of monitor",
    "grokpipe/measures/test_sharing.py": "what several measures share",
    "grokpipe/training/test_buffers.py": "buffers, from the pack to what is stored",
    "grokpipe/training/test_cuda.py": "what takes a GPU",
    "grokpipe/training/test_float64.py": "training in float64, from the pack to what is stored",
    "grokpipe/training/test_resume.py": "loop and checkpoint through kills",
}
"""files beside those of the modules, and why"""


PAPERS = "analysis.papers."
"""modules of a paper are tested by subject, in tests/analysis/papers/<paper>/: an estimate with its
table and its figure, on runs of which the answer is known"""


def own_test(name: str) -> str:
    """The file of tests of a module: of `a.b._c` it is `a/b/test_c.py`."""
    *folders, module = name.split(".")
    return "/".join([*folders, f"test_{module.lstrip('_')}.py"])


def test_each_module_has_its_tests() -> None:
    tests = ROOT / "tests"
    together = {
        name if "." in name else ".".join([*file.split("/")[:-1], name])
        for file, names in TOGETHER.items()
        for name in names.split()
    }
    assert together | WITHOUT.keys() <= KNOWN.keys()
    assert [file for file in {*TOGETHER, *BESIDES} if not (tests / file).exists()] == []
    with_code = {name for name, path in KNOWN.items() if path.name != "__init__.py"}
    papers = {name for name in with_code if name.startswith(PAPERS)}
    assert all((tests / "analysis" / "papers" / name.split(".")[2]).is_dir() for name in papers)
    with_code -= papers
    own = {name for name in with_code if (tests / own_test(name)).exists()}
    assert sorted(with_code - own - together - WITHOUT.keys()) == []
    assert sorted(own & (together | WITHOUT.keys())) == []  # the lists stay short
    files = {
        str(path.relative_to(tests)) for root in ORDER for path in (tests / root).rglob("test_*")
    }
    stray = files - {*map(own_test, with_code)} - TOGETHER.keys() - BESIDES.keys()
    assert sorted(file for file in stray if not file.startswith("analysis/papers/")) == []


def test_tests_share_by_helpers_alone() -> None:
    for path in (ROOT / "tests").rglob("*.py"):
        shared = re.findall(r"from (tests\.[\w.]+) import", path.read_text())
        assert [name for name in shared if not name.startswith("tests.helpers")] == [], path


def test_each_test_is_in_one_set() -> None:
    """Whatever its marks say, one target of the Makefile runs it, and only one. Where there is no
    GPU, the tests that need one are skipped; `test-gpu` runs nothing else."""
    marks = re.findall(r"pytest .*-m '?([^'\n]+)'?", (ROOT / "Makefile").read_text())
    targets = [mark for mark in marks if not mark.startswith("gpu")]
    assert len(targets) == 3
    for slow in (False, True):
        for slurm in (False, True):
            chosen = [eval(target, {"slow": slow, "slurm": slurm}) for target in targets]
            assert chosen.count(True) == 1, (slow, slurm)
