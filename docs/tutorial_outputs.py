"""The outputs shown in docs/tutorial.md, of the commands above them.

Commands of the analysis are run on the stored tables, where `outputs/products` has them for the
reader; before the longer budget only with the runs that there are by then. What a terminal shows
while cells are trained was recorded with the stored runs.
"""

import contextlib
import io
import re
import shlex
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from analysis.__main__ import main
from analysis.runs.tables import read_gathered, write_gathered
from docs.reference import ROOT, TUTORIAL

DOCUMENT = ROOT / "docs" / "tutorial.md"
FOLDER = Path("outputs/products")  # the reader's
SHOWN = re.compile(r"```sh\n([^`]*?)```\n\n<!-- (\w+): docs/stored_numbers.py -->")
FIRST = 4000
"""the budget of the first sweep"""
LONGER = "status"
"""the block after whose command the longer budget is trained"""


def blocks() -> dict[str, Callable[[], str]]:
    """What to show below each command, by the name of its block: a recording, if there is one of
    this name, else what the command prints."""
    made: dict[str, Callable[[], str]] = {}
    budget: int | None = FIRST
    for lines, name in SHOWN.findall(DOCUMENT.read_text()):
        recorded = TUTORIAL / "terminal" / f"{name}.txt"
        if recorded.exists():
            made[name] = partial(_fenced, recorded)
        else:
            made[name] = partial(printed, lines.splitlines()[-1].split("  #")[0], budget)
        if name == LONGER:
            budget = None
    return made


def printed(command: str, budget: int | None = None) -> str:
    """What `python -m analysis …` prints on the stored runs, fenced, without the files that it
    says it has written; only on those runs that had this budget, if given."""
    _, _, module, *arguments = shlex.split(command)
    assert module == "analysis", command
    tables = read_gathered(TUTORIAL, as_stored=True)
    if budget is not None:
        tables = tables.only(tables.cells.loc[tables.cells["steps"] == budget, "key"])
    out = io.StringIO()
    with tempfile.TemporaryDirectory() as place, contextlib.chdir(place):
        write_gathered(tables, FOLDER)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            failed = main(arguments)
    text = out.getvalue()
    if failed:
        raise RuntimeError(f"{command}: {text}")
    return fenced(text.partition("\nwritten:")[0])


def _fenced(path: Path) -> str:
    return fenced(path.read_text())


def fenced(text: str) -> str:
    """The text in a fence, without spaces at the ends of lines."""
    lines = [line.rstrip() for line in text.strip("\n").splitlines()]
    return "\n".join(["```text", *lines, "```"])
