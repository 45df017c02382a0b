"""How the user started this process, for messages and provenance that repeat a command."""

import re
import shlex
import sys
from functools import partial
from pathlib import Path

SCRIPTS = {"grokpipe": "grokpipe", "analysis": "grokpipe-analysis"}
"""the script of each module that `pip install` writes, beside `python -m`"""


def called(module: str) -> str:
    """The command of a module in the user's own form: its script if one of ours runs, else
    `python -m`."""
    return SCRIPTS[module] if _script() else f"python -m {module}"


def as_called(text: str) -> str:
    """The text with `python -m …` in the user's own form; what stands beside a command, after two
    spaces, keeps its place."""
    for module in SCRIPTS:
        command = re.compile(rf"python -m {module}\b([^\n]*?)(  +|$)", re.M)
        text = command.sub(partial(_padded, module), text)
    return text


def _padded(module: str, match: re.Match[str]) -> str:
    command = called(module) + match[1]
    return command.ljust(len(match[0])) if match[2] else command


def command_line() -> str:
    """The command of this process as a shell takes it, without the folders of this machine's
    interpreter."""
    script = _script()
    return shlex.join([script, *sys.argv[1:]] if script else ["python", *sys.orig_argv[1:]])


def _script() -> str | None:
    """Name of our script that runs; None under `python -m`."""
    name = Path(sys.argv[0]).stem if sys.argv[0].endswith(".exe") else Path(sys.argv[0]).name
    return name if name in SCRIPTS.values() else None
