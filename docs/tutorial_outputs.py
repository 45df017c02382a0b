"""The outputs shown in docs/tutorial.md, of the commands above them.

Commands of the analysis are run on the stored tables, where `outputs/tutorial` has them for the
reader; before the longer budget only on the runs that there are by then. What a terminal showed
while the cells were trained was recorded with them.
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
FOLDER = Path("outputs/tutorial")
"""the reader's"""
SHOWN = re.compile(r"```sh\n([^`]*?)```\n\n<!-- (\w+): docs/stored_numbers.py -->")
FIRST = 4000
"""the budget of the first sweep"""
LONGER = "longer"
"""the first block that follows the longer budget"""
LATEX = "latex"
"""the block that shows the file that its command writes, rather than what it prints"""
LINES = 16
"""of a recording that are shown: its first ones, and as many at its end"""


def blocks() -> dict[str, Callable[[], str]]:
    """What to show below each command, by the name of its block."""
    made: dict[str, Callable[[], str]] = {}
    budget: int | None = FIRST
    for lines, name in SHOWN.findall(DOCUMENT.read_text()):
        budget = None if name == LONGER else budget
        recorded = TUTORIAL / "terminal" / f"{name}.txt"
        if recorded.exists():
            made[name] = partial(recording, recorded)
        else:
            made[name] = partial(printed, lines.strip(), budget, name == LATEX)
    return made


def printed(command: str, budget: int | None = None, latex: bool = False) -> str:
    """What `python -m analysis …` prints on the stored runs, without the list of files; only on
    those runs that had this budget, if given. With `latex` the table that it writes."""
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
        if failed:
            raise RuntimeError(f"{command}: {out.getvalue()}")
        if latex:
            [path] = FOLDER.glob("tables/*.tex")
            return fenced(path.read_text(), "latex")
    return fenced(out.getvalue().partition("\nwritten:")[0])


def recording(path: Path) -> str:
    """A recording, without the middle of a long one."""
    lines = path.read_text().splitlines()
    if len(lines) > 2 * LINES + 1:
        lines = [*lines[:LINES], "…", *lines[-LINES:]]
    return fenced("\n".join(lines))


def fenced(text: str, language: str = "text") -> str:
    """The text in a fence, without spaces at the ends of lines."""
    lines = [line.rstrip() for line in text.strip("\n").splitlines()]
    return "\n".join([f"```{language}", *lines, "```"])
