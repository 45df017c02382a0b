"""Notes for the user: short, each said once."""

from collections.abc import Iterable, Sequence

MARK = "note: "
TRAINED = f"{MARK}cells were trained "
MOST = 3


def listed(names: Sequence[str], what: str = "arm", between: str = ", ") -> str:
    """Some names, the end of a long list as a number: `0.3, 0.1, 0.01 and 12 more arms`."""
    if len(names) <= MOST + 1:  # one more is as short as its number
        return between.join(names)
    return f"{between.join(names[:MOST])} and {len(names) - MOST} more {what}s"


def merged(notes: Iterable[str]) -> list[str]:
    """The notes, each once: those on how cells were trained in one line, and those that say the
    same of several things (`note: <thing>: <what>`) in one line with a list of these."""
    said: dict[str, dict[str, None]] = {}
    for note in notes:
        if note.startswith(TRAINED):
            said.setdefault(TRAINED, {})[note.removeprefix(TRAINED)] = None
        else:
            thing, colon, what = note.removeprefix(MARK).partition(": ")
            said.setdefault(what if colon else note, {})[thing] = None
    return [_note(what, [*things]) for what, things in said.items()]


def _note(what: str, things: list[str]) -> str:
    if what == TRAINED:
        return TRAINED + "; ".join(things)
    return what if what.startswith(MARK) else f"{MARK}{listed(things)}: {what}"
