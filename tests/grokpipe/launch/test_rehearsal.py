"""Components of an installed package, tried before a command writes anything: the package of
docs/extending.md, and the same with mistakes."""

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grokpipe.config import registry
from grokpipe.config.resolving import resolve
from grokpipe.curves import definitions
from grokpipe.errors import InputError
from grokpipe.executors.serial import Serial
from grokpipe.launch import launcher
from grokpipe.provenance import fingerprint as fingerprints
from tests.helpers import packages
from tests.helpers.cells import hydra_values
from tests.helpers.cli import SERIAL
from tests.helpers.refused import command, refused

RUN = (
    "experiment=parity/short", "steps=4", "train_size=40", "batch_size=8", "task.bits=5",
    "measures=sparse", "intervention=label_noise", "threads=1", "compile=off",
)  # fmt: skip


@pytest.fixture(scope="module")
def documented(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the documented package, not on Python's path."""
    folder = tmp_path_factory.mktemp("documented")
    packages.documented_site(folder)
    return folder


@pytest.fixture(scope="module")
def composed(documented: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The configuration of `RUN`; run logs would go to a temporary folder."""
    outputs = tmp_path_factory.mktemp("composed")
    with packages.on_path(documented):
        return hydra_values([*RUN, f"outputs={outputs}"])


@pytest.fixture
def site(documented: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the documented package, installed; no fingerprint is known."""
    monkeypatch.setattr(fingerprints, "_cache_folder", lambda: tmp_path / "cache")
    folder = tmp_path / "site"
    shutil.copytree(documented, folder, ignore=shutil.ignore_patterns("__pycache__"))
    with packages.on_path(folder):
        yield folder


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def test_a_run_with_its_provenance_and_staleness(site, composed, work, monkeypatch) -> None:
    assert command([*RUN, SERIAL], work, monkeypatch) == 0
    (log,) = (work / "outputs/default/cells").iterdir()
    written = json.loads((log / "provenance.json").read_text())
    assert written["packages"] == {"grokpipe-parity": {"version": "0.1"}}
    config = resolve(composed)
    code = fingerprints.fingerprint(config)
    assert written["code"] == code
    module = site / "grokpipe_parity" / "label_noise.py"
    source = fingerprints.source()

    for before, after in (("Label noise", "Noise"), ("labels + 1", "labels + 2")):
        module.write_text(module.read_text().replace(before, after))
        packages.forget(site)
        assert fingerprints.source() != source
        assert (fingerprints.fingerprint(config) == code) == (after == "Noise")


MISTAKES: dict[str, tuple[str, str, str, str]] = {
    "tensor": (
        "sparsity.py", ".item()", "",
        "measure sparsity: sparsity/active is a Tensor; must be a float; use .item()",
    ),
    "number": (
        "sparsity.py", 'return {"sparsity/active": ', "return dict(x=1) and {1 + ",
        "measure sparsity: returns a set; must be a dict",
    ),
    "column": (
        "sparsity.py", "sparsity/active", "weight_norm",
        "measure sparsity: weight_norm: another measure has this column",
    ),
    "measure": (
        "sparsity.py", "snapshot.train.features", "snapshot.features",
        "measure sparsity: AttributeError: 'Snapshot' object has no attribute 'features' "
        "(sparsity.py, line 8); HYDRA_FULL_ERROR=1 shows the traceback",
    ),
    "branch": (
        "label_noise.py", "classes = batch", "assert wrong.any()\n        classes = batch",
        "intervention=label_noise: RuntimeError: vmap: It looks like you're",
    ),
    "state": (
        "label_noise.py", 'return {"draws"', 'return {} and {"draws"',
        "intervention=label_noise: holds generators (draws) but state_dict is empty: a resumed run "
        "would draw the same numbers again",
    ),
    "argument": (
        "label_noise.py", "chances.to(self.device)", "chances.T.to(self.device)",
        "intervention=label_noise: arguments[0] has shape (8, 1); must be (cell, …), here (1, …)",
    ),
    "labels": (
        "sparse_parity.py", ".long()", "",
        "task=sparse_parity: labels is torch.bool of shape (2040,); must be int64 (n,) or "
        "(n, positions)",
    ),
    "load": (
        "sparse_parity.py", "signs.float()", "signs.floaty()",
        "task=sparse_parity: AttributeError: 'Tensor' object has no attribute 'floaty' "
        "(sparse_parity.py, line 25); HYDRA_FULL_ERROR=1 shows the traceback",
    ),
    "head": (
        "quadratic.py", "self.head = nn.Linear(width, classes)",
        "self.head = nn.Sequential(nn.Linear(width, classes))",
        "arch=quadratic: the last layer must be a torch.nn.Linear in the attribute head",
    ),
    "import": (
        "quadratic.py", "from torch import", "from torches import",
        "entry point quadratic=grokpipe_parity.quadratic (grokpipe.archs) of grokpipe-parity 0.1: "
        "ModuleNotFoundError: No module named 'torches'",
    ),
    "contract": (
        "quadratic.py", "def build(", "def make(",
        "arch=quadratic: grokpipe_parity.quadratic of grokpipe-parity 0.1: lacks build",
    ),
    "field": (
        "quadratic.py", "width: int = scientific(at_least=1)", "width: int = 3",
        "arch=quadratic: grokpipe_parity.quadratic of grokpipe-parity 0.1: Config.width must be "
        "declared with scientific() or operational()",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line_before_anything_is_written(site, composed, mistake) -> None:
    name, before, after, line = MISTAKES[mistake]
    module = site / "grokpipe_parity" / name
    assert before in module.read_text()
    module.write_text(module.read_text().replace(before, after))
    with pytest.raises(InputError) as refusal:
        launcher.run([composed], [""], None, Serial())
    assert str(refusal.value).startswith(line)
    assert "\n" not in str(refusal.value)
    assert not [*Path(composed["outputs"]).iterdir()]


def test_choices_are_listed_with_ours(site, work, monkeypatch, capfd) -> None:
    said = refused(["task=sparse_party"], work, monkeypatch, capfd)
    assert "no such choice; valid: cifar10, equations, fashion_mnist, mnist," in said
    assert ", sparse_parity" in said
    assert {"mod_add", "sparse_parity"} <= {*registry.names("tasks")}
    with contextlib.suppress(SystemExit):
        command(["--help"], work, monkeypatch)
    printed = capfd.readouterr().out
    assert ", sparse_parity" in printed and "experiment/parity: short" in printed


def test_a_choice_without_its_file_and_a_folder_that_is_lost(
    site, work, monkeypatch, capfd
) -> None:
    (site / "grokpipe_parity/conf/arch/quadratic.yaml").unlink()
    said = refused(RUN, work, monkeypatch, capfd)
    assert "arch=quadratic: installed, but no arch/quadratic.yaml is in a folder" in said
    packages.write(site, "other", {}, {"conf": "other = other.conf"})
    packages.forget()
    said = refused(["task=nothing"], work, monkeypatch, capfd)
    assert "entry point other=other.conf (grokpipe.conf) of other 1.0: no such folder" in said


@pytest.mark.parametrize(
    ("group", "ours", "line"),
    [
        ("task", False, "task=sparse_parity: several packages have a file task/sparse_parity.yaml"),
        ("measures", True, "measures=cheap: several packages have a file measures/cheap.yaml"),
    ],
)
def test_two_packages_with_one_file(
    site, work, monkeypatch, capfd, group: str, ours: bool, line: str
) -> None:
    name = "cheap" if ours else "sparse_parity"
    keys = "names: []" if ours else "name: sparse_parity\ntrain_size: 3\nbits: 5"
    text = {f"other/conf/{group}/{name}.yaml": keys}
    packages.write(site, "other", text, {"conf": "other = other.conf"})
    packages.forget()
    said = refused([] if ours else RUN, work, monkeypatch, capfd)
    first = "grokpipe" if ours else "grokpipe-parity 0.1"
    assert said.startswith(f"error: {line}: ")
    assert f"{first} and other 1.0;" in said or f"other 1.0 and {first};" in said


def test_a_package_may_not_take_a_name_of_ours(site, work, monkeypatch, capfd) -> None:
    packages.write(site, "other", {}, {"archs": "mlp = other"})
    packages.forget()
    said = refused(["arch=mlp"], work, monkeypatch, capfd)
    assert said.startswith("error: arch=mlp: several packages have one of this name: grokpipe and")


def test_events_of_a_package(site, monkeypatch: pytest.MonkeyPatch) -> None:
    found, complaints = definitions.plugins.declared(
        "events", known=definitions.EVENTS, kinds=definitions.Definition
    )
    assert complaints == []
    assert found["t_begun"].columns == ("train_accuracy",)
    monkeypatch.setattr(definitions, "INSTALLED", found)
    monkeypatch.setattr(definitions, "EVENTS", {**definitions.EVENTS, **found})
    assert "t_begun" in definitions.shown(["sparse_parity"])
    assert "t_begun" not in definitions.shown(["mnist"])
    assert definitions.complaint("t_begun") is None
