"""Fingerprints: equal for the same numbers, whoever computes them; another for other numbers."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

import grokpipe.fingerprint as fingerprint_command
from grokpipe.provenance import fingerprint as fingerprints
from grokpipe.provenance import golden
from grokpipe.provenance.fingerprint import canonical, fingerprint, quantised, trajectory
from grokpipe.store.run_log import RunLog
from tests.helpers.cells import ADD
from tests.helpers.cli import ENVIRONMENT, ROOT


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache folder."""
    folder = tmp_path / "cache"
    monkeypatch.setattr(fingerprints, "_cache_folder", lambda: folder)
    return folder


@pytest.fixture
def not_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(golden, "evaluations", lambda config: pytest.fail("computed"))


def test_form(compose) -> None:
    config = compose(*ADD)
    found = fingerprint(config)
    assert re.fullmatch("[0-9a-f]{16}:[0-9a-f]{16}", found)
    assert found.startswith(trajectory(config))
    assert re.fullmatch("[0-9a-f]{16}", fingerprints.source())


@pytest.mark.parametrize(
    "override",
    [
        "seed=1", "weight_decay=0.3", "weight_decay=0", "lr=0.1", "init_scale=2", "steps=7",
        "eval.every=3", "stop={event: t_grok, sustained: 1, margin: 0}", "name=x", "threads=2",
    ],
)  # fmt: skip
def test_cells_of_a_grid_share_a_trajectory(compose, override) -> None:
    assert trajectory(compose(*ADD, override)) == trajectory(compose(*ADD))


OTHERS = [
    ("task=mod_sub",), ("arch=mlp",), ("optimizer=sgd",), ("loss=squared_error",),
    ("measures.names=[weights]",), ("task.p=13",), ("task.fraction=0.5",), ("batches=epochs",),
    ("arch.norm=pre",), ("arch.width=15",), ("optimizer.eps=1e-3",), ("optimizer.betas=[0.8,0.9]",),
    ("batch_size=12",), ("tf32=true",), ("dtype=float64",), ("loss=stablemax",),
    ("arch=mlp", "arch.depth=2"),
]  # fmt: skip


def test_what_is_trained_otherwise_is_another_trajectory(compose) -> None:
    configs = [compose(*ADD), *(add(compose, *others) for others in OTHERS)]
    assert len({trajectory(config) for config in configs}) == len(configs)


def test_other_tasks_parts_and_measures_have_other_fingerprints(compose) -> None:
    found = [fingerprint(add(compose, *others)).split(":")[1] for others in [(), *OTHERS[:5]]]
    assert len(set(found)) == len(found)


def add(compose, *overrides: str):
    """The small configuration; an architecture that is named brings its own sizes."""
    own = [o for o in ADD if "arch=mlp" not in overrides or not o.startswith("arch")]
    return compose(*own, *overrides)


def test_only_keys_that_are_there_are_set(compose) -> None:
    found = canonical(compose(*ADD, "seed=3", "lr=0.5", "weight_decay=0", "init_scale=9"))
    assert (found.seed, found.lr, found.weight_decay, found.init_scale) == (0, 1e-3, 0.1, 1.0)
    assert (found.optimizer.lr, found.optimizer.weight_decay) == (1e-3, 0.1)
    assert found.arch.init_scale == 1.0
    without = canonical(replace(found, init_scale=None))
    assert without.init_scale is None


@pytest.mark.parametrize(
    ("values", "same"),
    [
        ((0.0, -0.0, 3e-9, -4.9e-9, 1e-300), True),
        ((0.3, 0.1 + 0.2, 0.3000004), True),
        ((1.0, 0.9999999999, 1.0000000001), True),
        ((1234567.0, 1234567.0000001), True),
        ((1e12, 1e12 * (1 + 1e-13)), True),
        ((2e-5, 2e-5 + 1e-13), True),
        ((float("nan"), -float("nan")), True),
        ((1.0, 1.00001), False),
        ((1e-7, 2e-7), False),
        ((0.0, 1e-8), False),
        ((0.5, -0.5), False),
        ((float("inf"), -float("inf")), False),
        ((float("inf"), float("nan"), 0.0), False),
    ],
)
def test_noise_is_rounded_away_and_nothing_else(values, same) -> None:
    texts = {quantised({"x": value})["x"] for value in values}
    assert len(texts) == (1 if same else len(values))


def test_a_known_fingerprint_is_not_computed_again(compose, cache, not_computed) -> None:
    config = compose(*ADD)
    assert fingerprints.known(trajectory(config)) is None
    fingerprints._remember(trajectory(config), "0123456789abcdef")
    fingerprints._remember("another", "fedcba9876543210")
    assert [file.name for file in cache.iterdir()] == [f"{fingerprints.source()}.json"]
    assert fingerprints.known("another") == "fedcba9876543210"
    assert fingerprint(config) == f"{trajectory(config)}:0123456789abcdef"


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"x": 3}', "\x00", '{"x": "torn'])
def test_a_damaged_cache_is_made_anew(compose, cache, text) -> None:
    cache.mkdir()
    file = cache / f"{fingerprints.source()}.json"
    file.write_text(text)
    assert fingerprints.known("x") is None
    found = fingerprint(compose(*ADD, "measures.names=[weights]"))
    assert json.loads(file.read_text()) == dict([found.split(":")])


def test_without_a_cache_it_is_computed(compose, cache) -> None:
    cache.write_text("a file where the folder belongs")
    found = fingerprint(compose(*ADD))
    assert fingerprint(compose(*ADD)) == found
    assert fingerprints.known(trajectory(compose(*ADD))) is None


def test_looking_up_needs_no_torch() -> None:
    code = (
        "import sys; from grokpipe.provenance import fingerprint as f; "
        "f.source(), f.known('x'); print('torch' in sys.modules)"
    )
    assert python("-c", code, path=ROOT) == "False"


def python(*arguments: str, path: Path) -> str:
    """What Python prints with the package that lies in `path`."""
    ran = subprocess.run(
        [sys.executable, *arguments], cwd=path, capture_output=True, text=True, check=True,
        env={**ENVIRONMENT, "PYTHONPATH": str(path), "XDG_CACHE_HOME": str(path / "cache")},
    )  # fmt: skip
    return ran.stdout.strip()


def run_log(folder: Path, config) -> Path:
    RunLog(folder).start(asdict(config), {})
    return folder


@pytest.mark.slow
def test_a_field_and_a_column_added_later_leave_yesterdays_runs_fresh(compose, tmp_path) -> None:
    """A copy of the package in which weight decay may warm up and weights are counted: the same key
    and fingerprint as before, though the new column is logged."""
    package = tmp_path / "grokpipe"
    shutil.copytree(ROOT / "grokpipe", package, ignore=shutil.ignore_patterns("__pyc*"))
    shutil.copytree(ROOT / "conf", tmp_path / "conf")
    log = run_log(tmp_path / "log", compose(*ADD))
    ask = (
        "import sys; from pathlib import Path; import grokpipe;"
        "from grokpipe import fingerprint;"
        "from grokpipe.provenance import golden;"
        "from grokpipe.provenance.fingerprint import canonical;"
        "run = grokpipe.load(Path(sys.argv[1]));"
        "print(run.cell.key, 'weights_counted' in golden.evaluations(canonical(run.config))[0]);"
        "sys.exit(fingerprint.main(sys.argv[1:]))"
    )
    before, printed = python("-c", ask, str(log), path=tmp_path).splitlines()
    config, measure = package / "config" / "schema.py", package / "measures" / "weights.py"
    config.write_text(
        config.read_text().replace(
            "    steps: int = scientific(at_least=1)\n",
            "    decay_warmup: int = scientific(at_least=0, neutral=0)\n"
            "    steps: int = scientific(at_least=1)\n",
        )
    )
    measure.write_text(
        measure.read_text().replace("    return {", '    return {"weights_counted": 1.0, ')
        + '\n\nADDED = {"weights_counted": "0.2"}\n'
    )
    key = before.split()[0]
    assert before == f"{key} False"
    later = python("-c", ask, str(log), path=tmp_path).splitlines()
    assert later == [f"{key} True", printed]
    measure.write_text(measure.read_text().replace("ADDED = ", "NOT_DECLARED = "))
    assert python("-m", "grokpipe.fingerprint", str(log), path=tmp_path) != printed


EDITS = {
    "comment": ("losses.py", "import torch\n", "import torch  # the library\n"),
    "epsilon": ("optimizers/_moments.py", "eps=config.eps", "eps=10 * config.eps"),
    "loss": ("losses.py", 'reduction="none"', 'reduction="none", label_smoothing=1e-4'),
    "measure": ("measures/weights.py", "snapshot.head.norm()", "snapshot.head.norm(1)"),
}


@pytest.mark.slow
@pytest.mark.parametrize("edit", EDITS)
def test_edited_code_has_another_fingerprint_if_its_numbers_differ(compose, tmp_path, edit) -> None:
    """A copy of the package, edited, in a process of its own."""
    package = tmp_path / "grokpipe"
    shutil.copytree(ROOT / "grokpipe", package, ignore=shutil.ignore_patterns("*.npz", "__pyc*"))
    file, before, after = EDITS[edit]
    text = (package / file).read_text()
    assert text.count(before) == 1
    (package / file).write_text(text.replace(before, after))
    config = compose(*ADD)
    log = run_log(tmp_path / "log", config)

    printed = python("-m", "grokpipe.fingerprint", str(log), path=tmp_path)
    folder, found = printed.rsplit(" ", 1)
    (cached,) = (tmp_path / "cache" / "grokpipe" / "fingerprints").iterdir()
    assert folder == str(log)
    assert cached.stem != fingerprints.source()
    assert json.loads(cached.read_text()) == dict([found.split(":")])
    expected = fingerprint(config)
    assert found.split(":")[0] == expected.split(":")[0]
    assert (found == expected) == (edit == "comment")


def test_command_computes_each_trajectory_once(compose, tmp_path, monkeypatch, capsys) -> None:
    def compute(config):
        assert config == canonical(config)
        computed.append(config.loss)
        return [{"x": len(computed)}]

    computed: list[str] = []
    monkeypatch.setattr(golden, "evaluations", compute)
    (tmp_path / "cache").write_text("not a folder")  # so that nothing is remembered there
    configs = [compose(*ADD, *o) for o in (("seed=1",), ("seed=2",), ("loss=squared_error",))]
    logs = [run_log(tmp_path / f"log {i}", config) for i, config in enumerate(configs)]
    assert fingerprint_command.main([str(log) for log in logs]) == 0
    lines = [line.rsplit(" ", 1) for line in capsys.readouterr().out.splitlines()]
    assert [line[0] for line in lines] == [str(log) for log in logs]
    assert [line[1].split(":")[0] for line in lines] == [trajectory(c) for c in configs]
    assert lines[0][1] == lines[1][1] != lines[2][1]
    assert computed == ["cross_entropy", "squared_error"]


@pytest.mark.parametrize("wrong", ["no folder", "no longer valid"])
def test_wrong_input_is_one_line(compose, tmp_path, capsys, wrong) -> None:
    log = tmp_path / "log"
    if wrong == "no longer valid":
        config = run_log(log, compose(*ADD)) / "config.yaml"
        config.write_text(config.read_text().replace("cross_entropy", "hinge"))
    assert fingerprint_command.main([str(log)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert printed.err.startswith("error: ")
    assert ("hinge" if wrong == "no longer valid" else str(log)) in printed.err
