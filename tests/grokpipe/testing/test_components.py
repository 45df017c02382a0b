"""The checks of components: ours pass, and each mistake is named."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from grokpipe import testing
from grokpipe.config import registry
from tests.helpers import broken_components, packages


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Broken components, installed."""
    folder = tmp_path_factory.mktemp("site")
    broken_components.install(folder)
    with packages.on_path(folder):
        yield folder


@pytest.mark.parametrize("name", registry.names("measures"))
def test_our_measures(name: str) -> None:
    testing.check_measure(name)


def test_a_task_of_ours() -> None:
    testing.check_task("mod_add", "task.p=5", "task.fraction=0.5", other="task.p=7")


def test_an_intervention_of_ours() -> None:
    testing.check_intervention("noise", "intervention.alpha=0.3")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("global_draws", "trained twice, cell 0: .*: something draws from a global generator"),
        ("forgets_a_count", "stopped at a checkpoint and resumed, cell 0: .*: state_dict and"),
        ("forgets_its_generators", r"holds generators \(draws\) but state_dict is empty"),
        ("state_without_cells", r"state_dict\['draws'\] has shape .*; must be \(cell, …\), here"),
        ("one_generator", "trained alone and in a pack of 3, .*: what a cell draws and computes"),
        ("loses_a_row", "after other cells have left its pack, .* is off by up to .*: state_dict"),
        ("baked_step", "gradients of the pack and of a plain loop differ: .*: the objective is"),
    ],
)
def test_broken_interventions(site: Path, name: str, line: str) -> None:
    with pytest.raises(AssertionError, match=f"^intervention={name}: {line}"):
        testing.check_intervention(name)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("in_place", "on a new network it changes its input; work on copies"),
        ("random", "on a new network two calls differ: it must be a pure function"),
        ("raises", "on .* it raises _LinAlgError: .*; what is undefined is NaN"),
        ("left_out", "on equal logits it has columns , else x; what is undefined is NaN, not"),
        ("integer", "x is a int; must be a float$"),
    ],
)
def test_broken_measures(site: Path, name: str, line: str) -> None:
    with pytest.raises(AssertionError, match=f"^measure {name}: {line}"):
        testing.check_measure(name)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("drawn_table", "the table or its fingerprint differs between seeds"),
        ("global_split", "loaded twice from one generator it differs: it draws from elsewhere"),
        ("overlap", "train and test must name each row once, and no row may be in both"),
        ("one_fingerprint", "task.shift=1 changes the table but not its fingerprint"),
    ],
)
def test_broken_tasks(site: Path, name: str, line: str) -> None:
    other = "task.shift=1" if name == "one_fingerprint" else None
    with pytest.raises(AssertionError, match=f"^task={name}: {line}"):
        testing.check_task(name, "train_size=20", "init_scale=1", other=other)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("dropout", "RuntimeError: vmap: called random operation while in randomness error mode"),
        ("other_shortcut", "gradients of the pack and of a plain loop differ: .*, and a shortcut"),
        ("features", "head gives 8 logits; the task has 7 classes"),
    ],
)
def test_broken_architectures(site: Path, name: str, line: str) -> None:
    with pytest.raises(AssertionError, match=f"^arch={name}: {line}"):
        testing.check_arch(name, "init_scale=null")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("first_rate", "trained alone and in a pack of 3, "),
        ("forgets_velocity", "stopped at a checkpoint and resumed, "),
    ],
)
def test_broken_optimisers(site: Path, name: str, line: str) -> None:
    with pytest.raises(AssertionError, match=f"^optimizer={name}: {line}"):
        testing.check_optimizer(name)


def test_a_wrong_override_and_a_name_that_is_not_there(site: Path) -> None:
    with pytest.raises(AssertionError, match=r"^intervention=nois: no such choice; valid: .*noise"):
        testing.check_intervention("nois")
    with pytest.raises(AssertionError, match=r"^intervention\.alpha=2: must be < 1"):
        testing.check_intervention("noise", "intervention.alpha=2")
    with pytest.raises(AssertionError, match=r"^measures\.names=nothing: no such choice"):
        testing.check_measure("nothing")
