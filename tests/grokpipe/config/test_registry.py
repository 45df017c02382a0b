"""Components by name: the modules of a package, and what a wrong name is told."""

from pathlib import Path

import pytest

from grokpipe.config import registry
from grokpipe.errors import InputError
from tests.helpers import packages
from tests.helpers.cli import ROOT

PACKAGES = ("tasks", "archs", "optimizers", "interventions", "measures")


@pytest.mark.parametrize("package", PACKAGES)
def test_choices_are_the_files_and_folders_without_an_underscore(package: str) -> None:
    folder: Path = ROOT / "grokpipe" / package
    paths = [*folder.glob("*.py"), *(path.parent for path in folder.glob("*/__init__.py"))]
    names = [path.stem for path in paths if not path.name.startswith("_")]
    assert registry.names(package) == sorted(names) != []


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


def test_choices_of_installed_packages_stand_beside_ours(tmp_path: Path) -> None:
    """What does not import is a choice all the same, and is told when it is chosen."""
    text = "from dataclasses import make_dataclass\nConfig, load = make_dataclass('C', []), 3"
    entries = {"tasks": "broken = one.broken\nnameless = one.nameless\ngood = one.good"}
    good = text.replace("[]", "[('name', str, scientific())]")
    files = {
        "one/broken.py": "1 / 0",
        "one/nameless.py": text,
        "one/good.py": f"from grokpipe.config.fields import scientific\n{good}",
    }
    packages.write(tmp_path, "one", files, entries)
    ours = registry.names("tasks")
    with packages.on_path(tmp_path):
        assert registry.names("tasks") == sorted([*ours, "broken", "nameless", "good"])
        assert [name for name in ("good", "mnist") if registry.is_installed("tasks", name)] == [
            "good"
        ]
        assert registry.module("tasks", "good", "task").load == 3
        assert [name for name, _ in registry.modules("tasks", "task")] == sorted([*ours, "good"])
        with pytest.raises(InputError, match=r"^entry point broken=.* of one 1.0: ZeroDivision"):
            registry.module("tasks", "broken", "task")
        with pytest.raises(InputError, match=r"one\.nameless of one 1.0: Config lacks the field "):
            registry.module("tasks", "nameless", "task")
        for wrong in ("os", "one.good", "one"):  # importable, but not declared
            with pytest.raises(InputError, match=rf"^task={wrong}: no such choice; valid: .*good"):
                registry.module("tasks", wrong, "task")
    assert registry.names("tasks") == ours
