"""Exceptions named by the component whose code was running."""

from pathlib import Path

import numpy as np
import pytest
import torch

from grokpipe.cell import Cell
from grokpipe.config import blame
from grokpipe.interventions import noise
from grokpipe.launch import worker
from grokpipe.measures.information import compression
from grokpipe.training.pack import Pack
from tests.helpers.cells import ADD


@pytest.fixture
def failing(compose, monkeypatch: pytest.MonkeyPatch) -> tuple[Cell, Exception]:
    """A cell, and what its noise raises while the pack's program is traced."""
    cell = Cell.of(compose(*ADD, "intervention=noise"))
    monkeypatch.setattr(noise, "shifted", lambda features: features.rolled(1, 0))
    with pytest.raises(AttributeError) as caught:
        Pack([cell]).advance(1)
    return cell, caught.value


def test_the_line_has_component_message_file_and_line(failing) -> None:
    cell, error = failing
    text = blame.line(error, cell.config)
    assert text is not None
    start = "intervention=noise: AttributeError: 'Tensor' object has no attribute 'rolled' "
    assert text.startswith(start + "(noise.py, line ")
    number = int(text.removesuffix(")").rpartition(" ")[2])
    source = Path(noise.__file__).read_text().splitlines()
    assert "shifted(features)" in source[number - 1]
    assert blame.refusal(error, cell.config) == f"{text}; HYDRA_FULL_ERROR=1 shows the traceback"


def test_a_pack_that_fails_says_so_in_its_reason(failing) -> None:
    cell, error = failing
    assert worker.reason(error, cell.config) == blame.line(error, cell.config)
    assert worker.reason(error) == "AttributeError: 'Tensor' object has no attribute 'rolled'"


def test_what_no_component_raised_is_told_by_itself(compose) -> None:
    config = compose(*ADD)
    with pytest.raises(ZeroDivisionError) as caught:
        1 / 0  # noqa: B018
    assert blame.line(caught.value, config) is None
    assert blame.refusal(caught.value, config).startswith("ZeroDivisionError: division by zero; ")


def test_a_file_of_a_package_is_its_component(compose) -> None:
    config = compose(*ADD, "measures.names=[weights]", "measures.sparse=[information]")
    with pytest.raises(ValueError, match="not enough values") as caught:
        compression.entropy(np.ones(3), compression.FIFTH)
    found = blame.line(caught.value, config)
    assert found is not None
    assert found.startswith("measure information: ValueError: not enough values to unpack")
    assert "(compression.py, line " in found


def test_the_component_behind_a_cause_is_named(failing) -> None:
    cell, error = failing
    outer = RuntimeError("the pack failed")
    outer.__cause__ = error
    assert blame.line(outer, cell.config) == blame.line(error, cell.config)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (KeyError(), "KeyError"),
        (ValueError("\n first\nsecond"), "ValueError: first"),
        (ValueError("word " * 100), f"ValueError: {('word ' * 39)}…"),
        (torch.OutOfMemoryError("x"), "OutOfMemoryError: x"),
    ],
)
def test_a_message_is_shown_by_its_first_line(error: Exception, text: str) -> None:
    assert blame.brief(error) == text
