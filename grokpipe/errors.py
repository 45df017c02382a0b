"""The errors that a user can cause or meet; each is shown as one line, without a traceback."""


class InputError(ValueError):
    """A value that cannot be used. The message names thing, value and what would be valid."""


class Interrupted(Exception):
    """Training was asked to stop and has written a checkpoint; the same command continues it."""


class GaveUp(Exception):
    """Packs whose processes end before they get anywhere; the others have been trained."""
