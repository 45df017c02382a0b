"""Medians of events as a table with a row for each arm and a column for each event."""

import math
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.output import paper
from analysis.output.formats import counted, number
from analysis.output.tables import table_text
from analysis.times.labels import texts
from grokpipe.curves.definitions import is_ratio

WIDTH = 100
GAP = 2  # between columns
MOST = 6  # events in one table of a file
LABEL = 40  # width of an arm's label where its columns do not fit
LONGEST_PIECE = 20  # of a heading on several lines
NO_BREAK = "\N{NO-BREAK SPACE}"
RUNS, DIVERGED, ARM = "runs", "diverged", "arm"


@dataclass(frozen=True)
class Form:
    """How medians are written, the more briefly the less place there is."""

    dash: str = " – "
    """between the ends of an interval"""
    wrapped: bool = False
    """headings on several lines"""
    digits: int | None = None
    """of thousands of steps; None: all of the steps"""
    tight: bool = False
    """no interval for a median that was not reached, no column of runs if it would have the same
    number for each arm, no parentheses, and `alpha` for `intervention.alpha`"""


EXACT = Form()
FORMS = (
    EXACT,
    Form(dash="–", wrapped=True),
    Form(dash="–", wrapped=True, tight=True),
    Form(dash="–", wrapped=True, digits=3),
    Form(dash="–", wrapped=True, digits=3, tight=True),
    Form(dash="–", wrapped=True, digits=2, tight=True),
)


def wide(table: pd.DataFrame, by: Sequence[str], form: Form = EXACT) -> pd.DataFrame:
    """The arms of a table of `timescales.timescales` in its order: the columns `by` as text, the
    number of runs, that of those that diverged if any did, and for each event the median, its
    interval, and k/n where k of the n runs with the event had it and others not."""
    arms = table.groupby(list(by), sort=False, dropna=False)
    values = {column: texts(table[column]) for column in by}
    rows = []
    for _, of_arm in arms:
        first = of_arm.iloc[0]
        row: dict[str, Any] = {
            column: "–" if pd.isna(first[column]) else values[column][first[column]]
            for column in by
        }
        row |= {RUNS: str(first["runs"]), DIVERGED: str(first["diverged"])}
        events = of_arm.to_dict("records")
        rows.append(row | {event["event"]: _median(event, form) for event in events})
    shown = pd.DataFrame(rows)
    dropped = [DIVERGED] if not table["diverged"].any() else []
    if form.tight and table["runs"].nunique() == 1:
        dropped.append(RUNS)
    return shown.drop(columns=dropped)


def frames(table: pd.DataFrame, by: Sequence[str]) -> list[pd.DataFrame]:
    """The exact tables for files, of at most MOST events each."""
    shown = wide(table, by)
    events = list(table["event"].unique())
    lead = [column for column in shown if column not in events]
    parts = [events[first : first + MOST] for first in range(0, len(events), MOST)]
    return [shown[[*lead, *part]] for part in parts]


def stacked(table: pd.DataFrame, by: Sequence[str], width: int) -> list[pd.DataFrame]:
    """The tables for print, each interval below its median, of at most `width` characters; headings
    do not count."""
    events = list(table["event"].unique())
    shown = wide(table, by, Form(dash="–"))
    shown[events] = shown[events].map(paper.stacked)
    sizes = {column: _width(*shown[column]) for column in shown}
    lead = [column for column in shown if column not in events]
    return [shown[part] for part in _parts(sizes, lead, events, width)]


def screen(table: pd.DataFrame, by: Sequence[str], width: int = WIDTH) -> str:
    """The table in at most `width` characters: in the first of FORMS that needs the fewest tables
    one under the other, each with all arms and some of the events; then what the numbers mean."""
    events = list(table["event"].unique())
    laid = {
        form: list(map(table_text, _blocks(wide(table, by, form), by, events, form, width)))
        for form in FORMS
    }
    form = min(laid, key=lambda form: (max(map(_width, laid[form])) > width, len(laid[form])))
    said = textwrap.fill(legend(table, form), width).replace(NO_BREAK, " ")
    return "\n\n".join([*laid[form], said])


def legend(table: pd.DataFrame, form: Form = EXACT) -> str:
    """What a table of medians shows, in one sentence."""
    unit = "thousands of steps" if form.digits else "steps"
    cells = pd.Series([_median(row, form) for row in table.to_dict("records")])
    bounded = cells.str.contains("[", regex=False).any()
    said = [f"medians in {unit}" + (f" [{_level(table)}]" if bounded else "")]
    if form.tight and table["runs"].nunique() == 1:
        said.append(f"{table['runs'].iloc[0]} runs an arm")
    if cells.str.contains("/").any():
        said.append("k/n: k of n runs had the event")
    if cells.str.contains(">").any():
        said.append(f">{NO_BREAK}x: later than x, if ever")
    if cells.str.contains("∞").any():
        said.append("∞: the runs set no upper end")
    return "; ".join(said)


def _level(table: pd.DataFrame) -> str:
    """The level of the intervals; that of order statistics is exact, and has its own values."""
    exact = {found[1] for m in table["method"] if (found := re.match(r"order.*, (.* %)$", str(m)))}
    if not exact:
        return "95 % interval"
    return f"{exact.pop()} interval" if len(exact) == 1 else "interval of order statistics"


def _median(row: dict[str, Any], form: Form) -> str:
    if not row["n"]:
        return "–"
    median, lower = row["median"], row["lower"]
    reached = math.isfinite(median)

    def written(value: float) -> str:
        if is_ratio(row["event"]):
            return number(value, 2)
        return _thousands(value, form.digits) if form.digits else number(value)

    text = written(median) if reached else f"> {written(row['followed'])}"
    tells = reached or (lower < row["followed"] and not form.tight)
    if not math.isnan(lower) and tells:
        text += f" [{written(lower)}{form.dash}{written(row['upper'])}]"
    if row["reached"] < row["n"] or row["n"] < row["runs"]:
        count = counted(row["reached"], row["n"], row["runs"])
        text += f" {count}" if form.tight else f" ({count})"
    return text


def _thousands(steps: float, digits: int) -> str:
    """Steps in thousands to some digits, to two below 1."""
    scaled = steps / 1000
    if scaled >= 99.5:
        return number(scaled)
    return f"{scaled:.{digits if scaled >= 1 else 2}g}"


def _blocks(
    shown: pd.DataFrame, by: Sequence[str], events: Sequence[str], form: Form, width: int
) -> list[pd.DataFrame]:
    """The tables of a form that fit a width, with headings as they are shown."""
    others = [column for column in (RUNS, DIVERGED) if column in shown]
    heads = {column: column for column in shown} | (_last_parts(by) if form.tight else {})
    heads |= {
        column: _wrapped(heads[column], _width(*shown[column])) for column in shown if form.wrapped
    }
    sizes = {column: _width(*shown[column], heads[column]) for column in shown}
    left = width - max(sizes[event] for event in events)  # for the columns before the events
    left -= sum(sizes[column] + GAP for column in others) + GAP
    if sum(sizes[column] + GAP for column in by) - GAP > left:
        left = max(min(left, LABEL), LONGEST_PIECE)
        shown = shown.assign(**{ARM: _labels(shown, by, left)})
        by, heads[ARM], sizes[ARM] = [ARM], ARM, _width(*shown[ARM], ARM)
    parts = _parts(sizes, [*by, *others], events, width)
    return [shown[part].rename(columns=heads) for part in parts]


def _parts(
    sizes: Mapping[str, int], lead: Sequence[str], events: Sequence[str], width: int
) -> list[list[str]]:
    """The columns of tables that fit a width: those of `lead`, and as many events as there is place
    for, at least one."""
    parts: list[list[str]] = []
    used = start = sum(sizes[column] + GAP for column in lead)
    for event in events:
        if not parts or used + sizes[event] > width:
            parts.append([*lead])
            used = start
        parts[-1].append(event)
        used += sizes[event] + GAP
    return parts


def _labels(shown: pd.DataFrame, by: Sequence[str], width: int) -> list[str]:
    """Each arm in one text of several lines, where its columns do not fit."""
    names = _last_parts(by)
    return [
        textwrap.fill(", ".join(f"{names[c]}={row[c]}" for c in by if row[c] != "–"), width)
        for row in shown.to_dict("records")
    ]


def _last_parts(names: Sequence[str]) -> dict[str, str]:
    """`alpha` for `intervention.alpha`, unless another name has the same last part."""
    last = [name.rpartition(".")[2] for name in names]
    return {
        name: part if last.count(part) == 1 else name
        for name, part in zip(names, last, strict=True)
    }


def _wrapped(heading: str, width: int) -> str:
    """A heading on lines that are no wider than the width, if its words allow, or than it takes for
    two lines."""
    words = [
        word[first : first + LONGEST_PIECE]
        for word in re.split(r"(?<=[_/( ])|(?<=\.)(?=[a-z])|(?=[<>])", heading)
        for first in range(0, len(word), LONGEST_PIECE)
    ]
    longest = max(map(len, words))
    for limit in range(max(width, longest), len(heading) + 1):
        lines = [""]
        for word in words:
            if lines[-1] and len(lines[-1] + word.rstrip()) > limit:
                lines.append("")
            lines[-1] += word
        if len(lines) <= 2 or limit >= LONGEST_PIECE:
            return "\n".join(line.strip() for line in lines)
    return heading


def _width(*texts: str) -> int:
    """The width of the longest line of some texts."""
    return max((len(line) for text in texts for line in text.split("\n")), default=0)
