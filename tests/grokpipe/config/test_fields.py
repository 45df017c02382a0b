"""Rules of configuration fields: bounds, marks, and values as columns of a table."""

import math
from dataclasses import dataclass, field

import pytest

from grokpipe.config.fields import (
    check,
    flatten,
    leaves,
    of_one_type,
    operational,
    scientific,
    scientific_values,
)
from grokpipe.errors import InputError


@dataclass
class Inner:
    width: int = scientific(at_least=1, neutral=5)
    kind: str = scientific(choices=("a", "b"), neutral="a")
    threads: int = operational(at_least=1, neutral=1)


@dataclass
class Outer:
    rate: float = scientific(above=0, below=1, per_cell=True)
    pair: tuple[float, ...] = scientific(at_least=0, length=2)
    inner: Inner = field(default_factory=Inner)


def outer(rate: float = 0.5, pair: tuple[float, ...] = (0, 1), **inner: object) -> Outer:
    return Outer(rate, pair, Inner(**inner))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"rate": 0.0}, "rate=0: must be > 0"),
        ({"rate": 1.0}, "rate=1: must be < 1"),
        ({"rate": math.nan}, "rate=nan: must be a finite number"),
        ({"pair": (1.0,)}, r"pair=\(1.0,\): must have 2 values"),
        ({"pair": (1.0, -1.0)}, r"pair=\(1.0, -1.0\): must be ≥ 0"),
        ({"width": 0}, "inner.width=0: must be ≥ 1"),
        ({"kind": "c"}, "inner.kind=c: must be one of a, b"),
        ({"threads": 0}, "inner.threads=0: must be ≥ 1"),
        ({"threads": 0, "rate": 2.0}, "rate=2: must be < 1"),  # the outermost first
    ],
)
def test_a_value_outside_its_bounds_is_named(values, line) -> None:
    check(outer())
    with pytest.raises(InputError, match=f"^{line}$"):
        check(outer(**values))


def test_leaves_have_dotted_names() -> None:
    assert [name for name, _, _ in leaves(outer())] == [
        "rate", "pair", "inner.width", "inner.kind", "inner.threads",
    ]  # fmt: skip


def test_neutral_and_operational_values_stay_out() -> None:
    assert scientific_values(outer(threads=4)) == {"rate": 0.5, "pair": [0, 1]}
    assert scientific_values(outer(kind="b"), shared=True) == {
        "pair": [0, 1], "inner": {"kind": "b"},
    }  # fmt: skip


def test_nested_values_become_columns() -> None:
    values = {"a": {"b": {"c": 1}, "d": [0.9, 0.99]}, "e": "text", "f": None, "g": ()}
    assert flatten(values) == {
        "a.b.c": 1, "a.d": "[0.9, 0.99]", "e": "text", "f": None, "g": "[]",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("values", "column"),
    [
        ([1, None, 2.5], [1, None, 2.5]),
        ([128, "unit", None], ["128", "unit", None]),
        ([True, 1], ["True", "1"]),
        ([None, None], [None, None]),
    ],
)
def test_a_column_has_one_type(values, column) -> None:
    assert of_one_type(values) == column
