"""Components by name: the modules of a package, and what a wrong name is told."""

from pathlib import Path

import pytest

from grokpipe.config import registry
from grokpipe.errors import InputError
from tests.helpers.cli import ROOT

PACKAGES = ("tasks", "archs", "optimizers", "interventions", "measures")


@pytest.mark.parametrize("package", PACKAGES)
def test_choices_are_the_files_without_an_underscore(package: str) -> None:
    folder: Path = ROOT / "grokpipe" / package
    files = [path.stem for path in folder.glob("*.py") if not path.name.startswith("_")]
    assert registry.names(package) == sorted(files) != []


def test_a_choice_is_its_module_and_another_name_reaches_nothing() -> None:
    found = registry.module("tasks", "mod_add", "task")
    assert found.__name__ == "grokpipe.tasks.mod_add"
    for wrong in ("_pairs", "os", "..cell", "mod_add.os", ""):
        with pytest.raises(InputError, match=rf"^task={wrong}: no such choice; valid: .*mod_add"):
            registry.module("tasks", wrong, "task")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("wieght_decay", "weight_decay"),
        ("wd", "weight_decay"),
        ("widht", "arch.width"),
        ("arch.heds", "arch.heads"),
        ("evl.every", "eval.every"),
    ],
)
def test_the_nearest_name_comes_first(typed: str, meant: str) -> None:
    valid = ["seed", "weight_decay", "arch.width", "arch.heads", "eval.every", "eval.schedule"]
    found = registry.nearest(typed, valid)
    assert found[0] == meant and len(found) == 3
