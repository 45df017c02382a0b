"""Lines on how half-changes were read: from where, and of which runs they are not known."""

from collections.abc import Sequence

import pandas as pd

from grokpipe.curves.definitions import definition_of
from grokpipe.curves.kinds import Half
from grokpipe.store.manifest import FINISHED


def notes(events: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """A line for each of these, with the number of runs, if there are any: half-changes counted
    from the first value, as the run did not log what their plateau begins at; those without a
    plateau; those before it.

    `events` are rows of `timescales.events`, those of t_mem among them; `names` are events, of
    which the half-changes after another event are looked at.
    """
    found: dict[str, list[str]] = {}
    for name in names:
        definition = definition_of(name)
        if not isinstance(definition, Half) or definition.after is None:
            continue
        own = events[events["event"] == name].set_index("key")
        start = events[events["event"] == definition.after].set_index("key").reindex(own.index)
        seen = start["observed"].eq(True)
        # the step that a run was followed to is 0 where no evaluation is known
        followed = start["diverged"].where(start["diverged"].notna(), start["step"])
        unlogged = ~(seen | (followed > 0))
        never = ~seen & ~unlogged & own["state"].isin(FINISHED)
        early = own["observed"].astype(bool) & (own["lower"] < start["step"].where(seen))
        for which, said in (
            (unlogged, f"counted from the first value, without {definition.after}"),
            (never, f"not observed, as {definition.after} was not; half(column, first) needs none"),
            (early, f"lies anywhere before {definition.after}, as it was over by then"),
        ):
            if which.any():
                line = f"{int(which.sum())} of {len(own)} runs: {{}} {said}"
                found.setdefault(line, []).append(name)
    return [f"note: {line.format(', '.join(named))}" for line, named in found.items()]
