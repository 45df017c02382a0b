"""`python -m grokpipe`: train one cell or a grid, as composed by Hydra; errors are one line."""

import os
import sys


def main() -> int:
    """Run the command; exit code 0, 1 if a cell failed, 2 for wrong input, 130 if interrupted."""
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    from grokpipe.errors import GaveUp, Interrupted
    from grokpipe.executors.waiting import wait_asleep

    wait_asleep()  # before PyTorch is imported
    full_errors = os.environ.get("HYDRA_FULL_ERROR") == "1"
    try:
        return _run(sys.argv[1:])
    except (ValueError, HydraException, OmegaConfBaseException) as error:
        if full_errors:
            raise
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except OSError as error:
        if full_errors:
            raise
        place = f"{error.filename}: " if error.filename else ""
        print(f"error: {place}{error.strerror or error.args[0]}", file=sys.stderr)
        return 2
    except GaveUp as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except Interrupted as stop:
        print(stop, file=sys.stderr)
        return 130
    except KeyboardInterrupt:
        print("interrupted; the same command resumes from the last checkpoint", file=sys.stderr)
        return 130


def _run(arguments: list[str]) -> int:
    """Show what the flags ask for, or train; return the exit code."""
    from hydra.core.global_hydra import GlobalHydra

    from grokpipe.config import command
    from grokpipe.config.schema import register

    register()
    try:
        parsed = command.read(arguments)
        if command.shows(parsed):
            command.show(parsed)
            return 0
        command.launch(command.compose(parsed))
    finally:
        GlobalHydra.instance().clear()
    from grokpipe.launch import launcher
    from grokpipe.store.run_log import TRACEBACK

    for outcome in launcher.failures:
        cell = f"{outcome.label}: " if outcome.label else ""
        print(f"failed: {cell}{outcome.reason}; see {outcome.folder / TRACEBACK}", file=sys.stderr)
    return 1 if launcher.failures else 0


if __name__ == "__main__":
    sys.exit(main())
