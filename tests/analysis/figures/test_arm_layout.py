"""Colours, dashes and rows of arms by one column or two, and how the columns are called."""

import numpy as np
import pytest

from analysis.figures import labels
from analysis.figures.arm_layout import ROWS, Layout, layout
from grokpipe.errors import InputError
from tests.helpers.arm_curves import arm_curves

RATES = [0.001, 0.003, 0.01, 0.03, 0.1]


def made(decays: list[object], rates: list[object], by: str = "weight_decay,lr") -> Layout:
    curves = arm_curves(decays, rates, seeds=2, steps=(0, 1))
    return layout(curves.drop_duplicates("key"), by.split(","))


def test_one_column_is_told_by_colour_and_dashes() -> None:
    found = made([0.1, 0.3], [1.0], "weight_decay")
    assert list(found.arms) == ["0.3", "0.1"]
    assert found.arms["0.1"].keys == {"000-000-0", "000-000-1"}
    assert len({(arm.colour, arm.dash) for arm in found.arms.values()}) == 2
    assert (found.title, found.numeric, found.dashes, found.rows) == (
        "weight decay λ", True, [], [""],
    )  # fmt: skip


@pytest.mark.parametrize("rates", [2, 4])
def test_a_second_column_is_told_by_dashes(rates: int) -> None:
    found = made([0.1, 0.3, 1.0], RATES[:rates])
    assert len(found.arms) == 3 * rates
    assert [label for label, _, _ in found.colours] == ["1", "0.3", "0.1"]
    assert [label for label, _ in found.dashes] == [f"{r:g}" for r in RATES[:rates][::-1]]
    colours = {label: colour for label, colour, _ in found.colours}
    dashes = dict(found.dashes)
    assert len(set(colours.values())) == 3 and len(set(dashes.values())) == rates
    for label, arm in found.arms.items():
        decay, rate = label.split(", ")
        assert (arm.colour, arm.dash, arm.row) == (colours[decay], dashes[rate], 0)
    assert (found.title, found.dashes_title) == ("weight decay λ", "learning rate η")


def test_a_second_column_of_more_values_has_rows() -> None:
    found = made([0.1, 0.3], RATES)
    assert found.dashes == []
    assert found.rows == [f"learning rate η = {rate:g}" for rate in RATES[::-1]]
    styles = {label: (colour, dash) for label, colour, dash in found.colours}
    for label, arm in found.arms.items():
        decay, rate = label.split(", ")
        assert (arm.colour, arm.dash) == styles[decay]
        assert found.rows[arm.row].endswith(f" = {rate}")


def test_a_second_column_that_repeats_the_first_shares_its_colours() -> None:
    curves = arm_curves([0.1, 0.3], [1.0]).drop_duplicates("key")
    curves["lr"] = curves["weight_decay"] / 10
    found = layout(curves, ["weight_decay", "lr"])
    assert [label for label, _, _ in found.colours] == ["0.3, 0.03", "0.1, 0.01"]
    assert (found.dashes, found.rows) == ([], [""])


def test_what_has_no_value_is_an_arm_of_its_own() -> None:
    curves = arm_curves(["mixing", "none"], [0.1, 0.3]).drop_duplicates("key")
    curves.loc[curves["weight_decay"] == "none", "lr"] = np.nan
    found = layout(curves, ["weight_decay", "lr"])
    assert sorted(found.arms) == ["mixing, 0.1", "mixing, 0.3", "none"]
    assert [label for label, _ in found.dashes] == ["0.3", "0.1", "none"]
    assert sum(len(arm.keys) for arm in found.arms.values()) == len(curves)


def test_too_much_for_a_figure_is_one_line() -> None:
    curves = arm_curves([0.1, 0.3], range(ROWS + 1), seeds=1, steps=(1,))
    with pytest.raises(InputError, match=f"lr has {ROWS + 1} values, .*; valid: up to {ROWS}"):
        layout(curves, ["weight_decay", "lr"])
    with pytest.raises(InputError, match="--by weight_decay,lr,seed: a figure shows one column or"):
        layout(curves, ["weight_decay", "lr", "seed"])


def test_words_are_no_numbers() -> None:
    assert not made(["a", "b"], [1.0], "weight_decay").numeric
    assert not made(["a", "b"], RATES).numeric


def test_columns_without_a_label_have_their_name() -> None:
    assert labels.settings(["lr", "my.own"]) == "learning rate η, my.own"
