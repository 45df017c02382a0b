"""Conditions: what is read, in which spelling, and what is refused."""

import random

import pytest

from grokpipe.curves.conditions import is_condition, parse, spelling, split
from grokpipe.curves.kinds import Crossing
from grokpipe.errors import InputError

ONE_SPELLING = {
    "test_accuracy>=0.9": [
        "test_accuracy >= 0.9", " test_accuracy>=0.90 ", "test_accuracy>=9e-1", "test_accuracy>=.9",
        "test_accuracy>=+0.9", "test_accuracy>=9E-1", "test_accuracy\t>=\n0.900",
        "sustained(test_accuracy>=0.9, 1)",
    ],
    "sustained(test_accuracy>=0.99, 5)": [
        "sustained(test_accuracy>=0.99,5)", "sustained ( test_accuracy >= 0.990 , 05 )",
    ],
    "train_loss<1e-05": ["train_loss<0.00001", "train_loss < 1e-5", "train_loss<10e-6"],
    "collapse/rnc1<=0": ["collapse/rnc1<=-0.0", "collapse/rnc1<=0.", "collapse/rnc1<=0e5"],
    "weight_norm>100000": ["weight_norm>1e5", "weight_norm>+100000.0"],
}  # fmt: skip


@pytest.mark.parametrize("canonical", ONE_SPELLING)
def test_all_spellings_of_a_condition_are_one(canonical: str) -> None:
    for text in (canonical, *ONE_SPELLING[canonical]):
        assert spelling(parse(text)) == canonical


def test_a_spelling_is_read_as_what_it_was_written_from() -> None:
    draws = random.Random(3)
    for _ in range(500):
        condition = Crossing(
            draws.choice(("test_accuracy", "spectral/entropy_train", "a1.b@c/d")),
            draws.choice((1, -1)) * draws.random() * 10 ** draws.randint(-20, 20),
            draws.random() < 0.5,
            draws.randint(1, 9),
            draws.random() < 0.5,
        )
        assert parse(spelling(condition)) == condition


def test_two_conditions_have_two_spellings() -> None:
    texts = ("x>=1", "x>1", "x<=1", "x<1", "x>=1.0000000000000002", "y>=1", "sustained(x>=1, 2)")
    assert len({spelling(parse(text)) for text in texts}) == len(texts)


def test_operators_hold_at_the_number_or_strictly_beyond_it() -> None:
    values = [0.1 + 0.2, 0.3, 0.29999999999999993, float("nan")]  # the first is above 0.3
    for text, reached in {
        "x>=0.3": [True, True, False, False], "x>0.3": [True, False, False, False],
        "x<=0.3": [False, True, True, False], "x<0.3": [False, False, True, False],
    }.items():  # fmt: skip
        assert parse(text).reached(values).tolist() == reached, text


@pytest.mark.parametrize(
    "text",
    [
        "test_accuracy=0.9", "test_accuracy==0.9", "test_accuracy=>0.9", ">=0.9", "0.9<=x",
        "test_accuracy>=", "test_accuracy>=ninety", "test_accuracy>=0.9%", "x>=1 and y>=2",
        "sustained(x>=1)", "sustained(x>=1, 2.5)", "sustained(x>=1, -2)", "sustained(t_grok, 5)",
        "sustained(sustained(x>=1, 2), 2)", "sustained(x>=1, 2", "x>=1)", "held(x>=1, 2)", "",
        "x>=0x10", "x>=1_000", "x>=nan", "x>=inf", "x-y>=1", "x.__class__()>=1", "é>=1", "x>=१",
    ],
)  # fmt: skip
def test_what_is_no_condition_is_refused_with_the_forms(text: str) -> None:
    with pytest.raises(InputError, match=r"not a condition; valid: column>=number, .*sustained"):
        parse(text)


def test_numbers_that_mean_nothing_are_refused() -> None:
    with pytest.raises(InputError, match="1e999 is not a finite number"):
        parse("x>=1e999")
    with pytest.raises(InputError, match="at least 1 evaluation"):
        parse("sustained(x>=1, 0)")


def test_commas_inside_parentheses_do_not_split_a_list() -> None:
    assert split("t_grok, sustained(test_accuracy>=0.99, 5),tau1") == [
        "t_grok", "sustained(test_accuracy>=0.99, 5)", "tau1"
    ]  # fmt: skip
    assert split("t_grok") == ["t_grok"]
    assert split("a,,b") == ["a", "", "b"]
    assert split("x>=1),b") == ["x>=1)", "b"]


def test_names_are_no_conditions() -> None:
    for name in ("t_grok", "tau_rnc1@0.1", "tau2_half/tau1", ""):
        assert not is_condition(name)
    for text in ("x>=1", "x<1", "sustained(x)", "x=1"):
        assert is_condition(text)
