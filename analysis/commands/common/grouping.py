"""Columns to group runs by, and what groups mix."""

from collections.abc import Collection, Sequence

from analysis.runs.selection import conditions, trajectories
from analysis.runs.tables import Tables, varied_columns
from grokpipe.errors import InputError


def columns(given: str | None, tables: Tables) -> list[str]:
    """The columns to group by: those given, else those that were swept without those that follow
    from the choice of a group, else weight_decay, which is then one group. Raises InputError for
    columns that leave all runs in one group although others were swept."""
    swept = varied_columns(tables)
    if given is None:
        return [c for c in swept if not _follows(c, swept, tables)] or _unswept(tables)
    by = [column(name, tables) for name in dict.fromkeys(given.split(","))]
    if swept and tables.cells.groupby(by, dropna=False).ngroups == 1:
        value = ", ".join(str(tables.cells[name].iloc[0]) for name in by)
        raise InputError(f"--by {given}: all runs are {value}; swept: {', '.join(swept)}")
    return by


def _follows(column: str, swept: Collection[str], tables: Tables) -> bool:
    """Whether a column of a group follows from the group's choice, as arch.depth does where only
    arch=mlp has one."""
    choice = f"{column.partition('.')[0]}.name"
    if column == choice or choice not in swept:
        return False
    of_choice = tables.cells.groupby(choice, dropna=False)[column]
    return bool(of_choice.nunique(dropna=False).max() == 1)


def _unswept(tables: Tables) -> list[str]:
    """A column to name the one group of runs that differ by nothing but their seeds."""
    others = [name for name in tables.configuration if name != "seed"]
    return ["weight_decay"] if "weight_decay" in others else others[:1] or ["seed"]


def column(given: str, tables: Tables, option: str = "--by") -> str:
    """A configuration column; a group stands for its choice (`intervention`: intervention.name)."""
    return conditions.resolved(given, tables.configuration, f"{option} {given}")


def pooled(tables: Tables, by: list[str], option: str = "--by") -> list[str]:
    """A note if there are swept columns whose values the groups mix: where groups are described."""
    mixed = _mixed(tables, by)
    if not mixed:
        return []
    differ, them = ("differ", "them") if len(mixed) > 1 else ("differs", "it")
    added = f"add {them} with {option} {','.join([*by, *mixed])}"
    return [f"note: {', '.join(mixed)} {differ} within the groups; {added}"]


def refuse_pooled(
    tables: Tables, by: Sequence[str], option: str = "--by", within: str = ""
) -> None:
    """Raise InputError for groups that mix the values of a swept column: where groups are tested or
    fitted, as their runs would count as repetitions of one another. `within` is another way out."""
    mixed = _mixed(tables, by)
    if not mixed:
        return
    cells, name = tables.cells, mixed[0]
    values = conditions.listed(cells[name])
    one = conditions.written(cells[name].iloc[0])
    several = f" (and in {', '.join(mixed[1:])})" if mixed[1:] else ""
    raise InputError(
        f"{option} {','.join(by)}: a group mixes runs that differ in {name}: {values}{several}; "
        f"part them by {option} {','.join([*by, *mixed])}, or choose by --where '{name}={one}'"
        + (f", or compare {within} {','.join(mixed)}" if within else "")
    )


def _mixed(tables: Tables, by: Sequence[str]) -> list[str]:
    """The swept columns whose values groups by these columns mix, without those that follow from
    the ones before, as a regulariser's strength does from the intervention."""
    cells = trajectories.with_neutral_values(tables.cells)
    mixed: list[str] = []
    for name in varied_columns(tables):
        parted = [*by, *mixed]
        several = cells.groupby(parted, dropna=False)[name].nunique(dropna=False).max() > 1
        if name not in parted and several:
            mixed.append(name)
    return mixed


def unfinished(tables: Tables) -> list[str]:
    states = tables.cells["state"].value_counts()
    diverged = states.get("diverged", 0)
    other = ", ".join(f"{n} {s}" for s, n in states.items() if s not in ("done", "diverged"))
    notes = {
        f"note: {diverged} diverged: events not seen by then never come": diverged,
        f"note: {other}: events not seen are censored at the last step": other,
    }
    return [note for note, needed in notes.items() if needed]
