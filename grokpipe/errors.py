"""Errors that a user can cause or meet; each is shown as one line, without a traceback."""


class InputError(ValueError):
    """A value that cannot be used. The message names the thing, the value and valid choices."""


class Refused(InputError):
    """The machine did not take the work, such as SLURM a partition; nothing was started."""


class Interrupted(Exception):
    """Training stopped on request with a checkpoint; the same command resumes it."""


class GaveUp(Exception):
    """Some packs could not be trained because their processes keep ending; the others were."""


def missing_package(why: str, package: str) -> InputError:
    """The refusal of what needs an optional package that is not installed; `why` names what does.

    The extra of this package has the package's name.
    """
    return InputError(f"{why}: needs the package {package}: pip install 'grokpipe[{package}]'")
