"""`python -m grokpipe`: train one cell or a sweep, as composed by Hydra; errors are one line."""

import os
import sys


def main() -> int:
    """Run the command; exit code 0, 1 if a cell failed, 2 for wrong input, 130 if interrupted."""
    full_errors = os.environ.get("HYDRA_FULL_ERROR") == "1"
    # Without this Hydra would print its own message and exit, instead of raising the error.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    import hydra
    from hydra.core.hydra_config import HydraConfig
    from hydra.errors import HydraException
    from hydra.types import RunMode
    from omegaconf import DictConfig
    from omegaconf.errors import OmegaConfBaseException

    from grokpipe.config.composing import CONF
    from grokpipe.config.grids import check_grid, with_late_keys
    from grokpipe.config.hydra_errors import one_line
    from grokpipe.config.schema import register
    from grokpipe.errors import GaveUp, InputError, Interrupted
    from grokpipe.executors.serial import Serial
    from grokpipe.launch import launcher
    from grokpipe.store.run_log import TRACEBACK

    register()
    stopped: list[InputError | Interrupted] = []

    @hydra.main(config_path=str(CONF), config_name="config", version_base="1.3")
    def task(config: DictConfig) -> float:
        hydra_config = HydraConfig.get()
        choices = hydra_config.runtime.choices
        if hydra_config.mode == RunMode.MULTIRUN:
            raise InputError(
                f"hydra/launcher={choices['hydra/launcher']}: must be local, slurm or serial"
            )
        try:
            check_grid(hydra_config, hydra_config.overrides.task, sweeping=False)
            (outcome,) = launcher.run([config], [""], choices.get("experiment"), Serial())
        except (InputError, Interrupted) as error:
            stopped.append(error)  # raised below: Hydra would print a line of its own first
            return float("nan")
        return outcome.test_accuracy

    if not {"-m", "--multirun"}.isdisjoint(sys.argv):
        sys.argv[1:] = with_late_keys(sys.argv[1:])
    try:
        task()
        if stopped:
            raise stopped[0]
    except (ValueError, HydraException, OmegaConfBaseException) as error:
        if full_errors:
            raise
        print(f"error: {one_line(error, CONF, sys.argv[1:])}", file=sys.stderr)
        return 2
    except OSError as error:
        if full_errors:
            raise
        print(f"error: {error.filename}: {error.strerror}", file=sys.stderr)
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
    for outcome in launcher.failures:
        print(f"failed: {outcome.reason}; see {outcome.folder / TRACEBACK}", file=sys.stderr)
    return 1 if launcher.failures else 0


if __name__ == "__main__":
    sys.exit(main())
