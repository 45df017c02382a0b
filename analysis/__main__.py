"""Tables, tests, fits and figures from run logs or gathered tables: `python -m analysis`."""

import argparse
import signal
import sys
from collections.abc import Sequence

from analysis import commands
from grokpipe.config.invocation import called
from grokpipe.errors import InputError

DESCRIPTION = "Tables, tests, fits and figures from run logs or gathered tables."


def main(arguments: list[str] | None = None) -> int:
    """Run the command; exit code 0 or the command's own, 2 with one line for wrong input, and for a
    file that cannot be read or written, 130 if interrupted."""
    given = sys.argv[1:] if arguments is None else arguments
    options = parser(given).parse_args(given)
    try:
        code: int | None = options.run(options)
    except (InputError, OSError) as error:
        print(f"error: {_line(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    return code or 0


def _line(error: Exception) -> str:
    """One line that names what cannot be used: of an error of the system, the file and why."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return " ".join(str(error).split())


def parser(given: Sequence[str]) -> argparse.ArgumentParser:
    """Build the parser of a command line, with the options of the command that it gives: others are
    not imported, which would take a second."""
    root = argparse.ArgumentParser(
        prog=called("analysis"), description=DESCRIPTION, allow_abbrev=False
    )
    subparsers = root.add_subparsers(required=True, metavar="command")
    for name, line in commands.COMMANDS.items():
        sub = subparsers.add_parser(name, help=line, allow_abbrev=False)
        if name in given:
            command = commands.load(name)
            sub.description = command.run.__doc__
            command.add_arguments(sub)
            sub.set_defaults(run=command.run, default=sub.get_default)
    return root


def script() -> int:
    """Run the command as a process of its own: `python -m analysis`, or `grokpipe-analysis`."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `… | head` is not an error
    return main()


if __name__ == "__main__":
    sys.exit(script())
