"""Names of files after what was asked, so that another question does not overwrite them."""

import argparse
import hashlib
import re
from collections.abc import Collection, Iterable
from typing import Any

from grokpipe.curves import definitions
from grokpipe.curves.conditions import split

ASKED = {
    "columns": "",
    "event": "",
    "by": "by",
    "within": "within",
    "baseline": "baseline",
    "where": "where",
    "predictor": "from",
    "tolerance": "tolerance",
    "interval": "",
    "test": "",
    "alternative": "",
    "margin": "margin",
    "runs": "runs",
    "linear": "linear",
    "long": "long",
    "format": "",
}
"""Options that change what a table or figure shows, in the order of names; and the word before the
option's value."""

LONGEST = 100
DIGITS = 8
_WORDS = {
    "!=": "_not_", ">=": "_ge_", "<=": "_le_", ">": "_gt_", "<": "_lt_", ", ": "_",
    "%": "_percent",
}  # fmt: skip


def file_stem(text: str) -> str:
    """A text as part of a file's name: t_grok, tau_rnc1_0_1, test_accuracy_ge_0_9."""
    text = re.sub(r"(?<![\w.])-(?=[\d.])", "minus_", text)
    for sign, word in _WORDS.items():
        text = text.replace(sign, word)
    return re.sub(r"\W", "_", text).strip("_")


def joined(*parts: str) -> str:
    """The parts, as file_stem has them, as one name; one that is longer than LONGEST is cut and
    ends in a hash of the whole."""
    name = "_".join(part for part in map(file_stem, parts) if part)
    if len(name) <= LONGEST:
        return name
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:DIGITS]
    return f"{name[: LONGEST - DIGITS - 1].rstrip('_')}_{digest}"


def stem(
    base: str | Iterable[str],
    options: argparse.Namespace,
    *only: str,
    without: Collection[str] = (),
) -> str:
    """The name of what a command shows: the base, then each option in ASKED that the command has
    and whose value is not its default; of `only` these options, if given, and `without` some.

    `options.default` is the parser's `get_default`.
    """
    default = getattr(options, "default", lambda name: None)
    parts = [base] if isinstance(base, str) else [*base]
    for name, word in ASKED.items():
        value = getattr(options, name, None)
        asked = value not in (None, False, "") and value != default(name)
        if asked and name not in without and (not only or name in only):
            parts += [word, *_texts(name, value)]
    return joined(*parts)


def _texts(name: str, value: Any) -> list[str]:
    """An option's value as parts of a name: several events or columns each for itself."""
    if value is True:
        return []
    if isinstance(value, list | tuple):
        return [text for one in value for text in _texts(name, one)]
    text = f"{value:g}" if isinstance(value, float) else str(value)
    if name != "event":
        return [text]
    return [one if one == "all" else definitions.canonical(one) for one in split(text)]
