"""What a user reads where OmegaConf refuses a value."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from grokpipe.config.wording import complaint, refused


@dataclass
class Below:
    step: int | None = None
    event: str | None = None


@dataclass
class Alone:
    step: int = 1


@dataclass
class Node:
    steps: int = 1
    rate: float = 1.0
    force: bool = False
    name: str = "a"
    widths: list[int] | None = None
    until: Below = field(default_factory=Below)
    alone: Alone = field(default_factory=Alone)


def error(key: str, value: Any) -> OmegaConfBaseException:
    with pytest.raises(OmegaConfBaseException) as info:
        OmegaConf.update(OmegaConf.structured(Node), key, value, merge=True)
    return info.value


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("steps", "many", "steps=many: must be a whole number"),
        ("steps", 1e5, "steps=100000.0: must be a whole number; write 100000"),
        ("steps", 1.5, "steps=1.5: must be a whole number"),
        ("steps", float("inf"), "steps=inf: must be a whole number"),
        ("steps", None, "steps=null: must have a value"),
        ("rate", "high", "rate=high: must be a number"),
        ("force", "maybe", "force=maybe: must be true or false"),
        ("name", [1], "name=[1]: must be a text"),
        ("widths", 64, "widths=64: must be a list, in brackets"),
        ("until", 50, "until=50: has keys of its own; set until.step or until.event"),
        ("alone", "x", "alone=x: has keys of its own; set alone.step"),
        ("until.step", "x", "until.step=x: must be a whole number"),
    ],
)
def test_a_line_has_the_key_the_value_and_what_is_valid(key: str, value: Any, line: str) -> None:
    assert refused(error(key, value)) == line


def test_keys_have_the_prefix_of_their_group() -> None:
    keys = "intervention.until.step or intervention.until.event"
    line = f"intervention.until=5: has keys of its own; set {keys}"
    assert refused(error("until", 5), "intervention.") == line


def test_other_errors_keep_their_words() -> None:
    other = error("nope", 1)
    assert refused(other, "a.").startswith("a.nope: ")
    assert complaint(other) == str(other).splitlines()[0]


def test_an_error_without_a_key_is_its_message() -> None:
    assert refused(OmegaConfBaseException("so\nit is"), "a.") == "a.so"
