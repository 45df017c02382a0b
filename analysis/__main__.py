"""Tables, tests, fits and figures from run logs or gathered tables: `python -m analysis`."""

import argparse
import signal
import sys

from analysis import commands
from grokpipe.errors import InputError


def main(arguments: list[str] | None = None) -> int:
    """Run the command; exit code 0, or 2 with one line for wrong input, and for a file that
    cannot be read or written."""
    options = parser().parse_args(arguments)
    try:
        options.run(options)
    except (InputError, OSError) as error:
        print(f"error: {_line(error)}", file=sys.stderr)
        return 2
    return 0


def _line(error: Exception) -> str:
    """One line that names what cannot be used: of an error of the system, the file and why."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return " ".join(str(error).split())


def parser() -> argparse.ArgumentParser:
    """Build the parser of the whole command line."""
    root = argparse.ArgumentParser(
        prog="python -m analysis", description=__doc__, allow_abbrev=False
    )
    subparsers = root.add_subparsers(required=True, metavar="command")
    for name, command in commands.COMMANDS.items():
        sub = subparsers.add_parser(
            name, help=command.HELP, description=command.run.__doc__, allow_abbrev=False
        )
        command.add_arguments(sub)
        sub.set_defaults(run=command.run, default=sub.get_default)
    return root


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `… | head` is not an error
    sys.exit(main())
