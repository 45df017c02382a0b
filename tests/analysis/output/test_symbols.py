"""Names in mathematics."""

import pytest

from analysis.output import symbols
from grokpipe.curves.definitions import EVENTS


@pytest.mark.parametrize("name", EVENTS)
def test_each_event_with_a_name_has_a_symbol_of_its_own(name: str) -> None:
    symbol = symbols.event(name)
    assert symbol.startswith("$") and symbol.endswith("$") and symbol.count("$") == 2
    assert symbol.count("{") == symbol.count("}")
    assert [other for other in EVENTS if symbols.event(other) == symbol] == [name]


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("tau2_half", r"$\tau_2^{\mathrm{half}}$"),
        ("tau_rnc1@0.05", r"$\tau_{\mathrm{RNC1} \leq 0.05}$"),
        ("tau2_rise/tau1", r"$\tau_2^{\mathrm{rise}} / \tau_1$"),
        ("test_accuracy>=0.9", r"test accuracy $\geq$ 0.9"),
        ("sustained(collapse/rnc1<0.1, 5)", "sustained(collapse/rnc1 $<$ 0.1, 5)"),
        ("my_event", "my event"),
        ("my_event/tau1", "my event/tau1"),
    ],
)
def test_events(name: str, symbol: str) -> None:
    assert symbols.event(name) == symbol


def test_columns() -> None:
    names = ("weight_decay", "lr", "intervention.alpha", "task.name", "train_size", "arch.depth")
    assert [symbols.column(name) for name in names] == [
        r"$\lambda$", r"$\eta$", r"$\alpha$", "task", "train size", "depth"
    ]  # fmt: skip
