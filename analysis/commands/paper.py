"""`paper`."""

import argparse
from importlib import import_module
from pathlib import Path
from types import ModuleType

from analysis.commands import common
from grokpipe.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paper", help="a paper: entropy")
    parser.add_argument("name", nargs="?", help="one of its commands; without it they are listed")
    parser.add_argument(
        "folder", nargs="?", type=Path, help="of run logs or gathered tables; default: the stored"
    )
    common.add_to(parser)


def run(options: argparse.Namespace) -> None:
    """Run a command of a paper's own, a module of analysis/papers/<paper>/commands; list them
    without the name of one."""
    commands = _commands(options.paper)
    if options.name is None:
        for name, module in commands.items():
            print(f"{name}  {module.HELP}")
        if not commands:
            print(f"{options.paper}: no commands of its own")
        return
    if options.name not in commands:
        valid = ", ".join(commands) or "none"
        raise InputError(f"{options.paper} {options.name}: no such command; valid: {valid}")
    command = commands[options.name]
    options.folder = options.folder or command.FOLDER
    common.check_folder(options.folder)
    command.run(options.folder, common.destination(options))


def _commands(paper: str) -> dict[str, ModuleType]:
    """Modules with HELP, FOLDER (the default folder) and run(folder, to), by name."""
    from analysis.claims import lookup, reading

    if paper not in (valid := reading.names()):
        raise InputError(f"{paper}: no such paper; valid: {', '.join(valid)}")
    package = f"{reading.PACKAGES}.{paper}.commands"
    return {name: import_module(f"{package}.{name}") for name in lookup.modules(package)}
