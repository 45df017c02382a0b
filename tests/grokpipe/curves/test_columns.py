"""Labels and scales of columns: declared for all that our measures log, sensible for others."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.mathtext import MathTextParser

from grokpipe.config import registry
from grokpipe.curves.columns import COLUMNS, Column, column, installed
from grokpipe.measures._columns import columns
from tests.helpers import packages


def test_every_column_that_we_log_is_declared_and_nothing_else() -> None:
    declared = [name for name in COLUMNS if not name.endswith("*")]
    families = [name[:-1] for name in COLUMNS if name.endswith("*")]
    logged = columns(registry.names("measures"), classes=10, positions=2)
    of_families = [name for name in logged if name.startswith(tuple(families))]
    assert {*logged} - {*of_families} == {*declared}
    assert all(any(name.startswith(one) for name in of_families) for one in families)
    labels = [one.title for one in COLUMNS.values()]
    assert len(set(labels)) == len(labels)
    for label in labels:
        MathTextParser("path").parse(label)  # raises ValueError


def test_scales() -> None:
    assert column("collapse/rnc1", []).scale == "log"
    assert column("test_accuracy", []) == Column("test accuracy", limits=(0, 1.02))
    assert column("spectral/entropy_train", []).label == r"spectral entropy $\tilde{H}$"
    assert column("logits/entropy", []).title == "entropy of the outputs (nats)"


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ([1, 101], "log"),
        ([1, 99], "linear"),
        ([0, 101], "linear"),
        ([-1, 1e6], "linear"),
        ([1, np.inf], "linear"),
        ([1, 101, np.nan], "log"),
        ([np.nan], "linear"),
        ([], "linear"),
    ],
)
def test_an_undeclared_column_is_logarithmic_where_that_shows_more(values, scale: str) -> None:
    assert column("my/measure", values) == Column("my/measure", scale)


def test_an_undeclared_accuracy_is_a_share() -> None:
    assert column("valid_accuracy", [0.2, 0.3]) == Column("valid_accuracy", limits=(0, 1.02))


def test_a_family_of_columns_is_declared_once() -> None:
    known = {
        "probe/layer_*": Column("probe accuracy, layer {}", limits=(0, 1)),
        "probe/layer_0": Column("probe accuracy, embedding"),
    }
    assert column("probe/layer_12", [], known) == Column("probe accuracy, layer 12", limits=(0, 1))
    assert column("probe/layer_0", [], known) == known["probe/layer_0"]
    assert column("probe", [], known) == Column("probe")


def test_an_installed_package_declares_its_columns(tmp_path: Path) -> None:
    module = """\
        from grokpipe.curves.columns import Column

        COLUMNS = {"mine/active": Column("share of active features", limits=(0, 1))}
        TAKEN = {"test_loss": Column("mine")}
        """
    with packages.on_path(tmp_path):
        lines = "mine = mine:COLUMNS\ntaken = mine:TAKEN"
        packages.write(tmp_path, "mine", {"mine.py": module}, {"columns": lines})
        assert column("mine/active", [1, 1000]) == Column("share of active features", limits=(0, 1))
        assert column("test_loss", []) == COLUMNS["test_loss"]
        (line,) = installed()[1]
        assert "taken=mine:TAKEN" in line and line.endswith("test_loss: declared twice")
    assert column("mine/active", [1, 2]) == Column("mine/active")
