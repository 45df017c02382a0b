"""A report as one page, and as Markdown with its figures beside it."""

import base64
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from analysis.claims.judge import REPRODUCED, Judged
from analysis.output.tables import table_text
from analysis.report import contents, summary, words
from analysis.report.contents import Report
from grokpipe.store import files

HTML, MARKDOWN, VERDICTS = "report.html", "report.md", "verdicts.csv"
MANY = 20  # rows of a table above which it is folded up
SCREEN = 96 * 1.25  # pixels of a screen for an inch of a figure, whose letters are small
MARKS = re.compile(r"([\\`*_<>|\[\]#~])")
TOGETHER = re.compile(r"\[[^][]*]|\S+ [=<>≥≤] \S+")  # [12,140, 17,100], α = 0.3


@dataclass(frozen=True)
class Picture:
    source: str
    """the picture itself, as a data URL"""
    width: int
    height: int
    """in pixels of a screen"""


def write(report: Report, to: Path) -> list[Path]:
    """The page, Markdown, and the verdicts as a table, into `to`; returns their paths."""
    texts = {
        HTML: html(report), MARKDOWN: markdown(report),
        VERDICTS: verdicts(report).to_csv(index=False),
    }  # fmt: skip
    return written(to, texts)


def written(to: Path, texts: Mapping[str, str]) -> list[Path]:
    """Write texts by the names of their files into a folder; return their paths."""
    to.mkdir(parents=True, exist_ok=True)
    paths = [to / name for name in texts]
    for path, content in zip(paths, texts.values(), strict=True):
        with files.replacing(path) as temporary:
            temporary.write_text(content)
    return paths


def html(report: Report) -> str:
    """One page that needs nothing but itself: no script, no network; pictures are inside."""
    return (
        environment(autoescape=True)
        .get_template("report.html.jinja")
        .render(report=report, picture=_picture, words=words, summary=summary, many=MANY)
    )


def markdown(report: Report) -> str:
    template = environment(autoescape=False).get_template("report.md.jinja")
    return template.render(report=report, words=words, summary=summary)


def verdicts(report: Report) -> pd.DataFrame:
    """A row per claim, all as text: id, where, statement, published, version (of the paper), ours,
    rule, verdict, experiments (that its estimates read); the rule of before with its numbers and
    verdict (of the first, where it was amended twice), and since when it is another; the
    probability of "reproduced" if the published value is true and if there is no effect; seeds an
    arm that would decide; the order of rule and runs. The results of several criteria are separated
    by semicolons."""
    rows = []
    for judged in report.judged:
        claim, ours, rules = judged.claim, [], []
        for outcome in judged.outcomes:
            ours.append(words.ours(outcome))
            rules.append(words.rule(outcome.criterion))
        rows.append(
            {
                "id": claim.id, "where": claim.where, "statement": claim.statement,
                "published": claim.published, "version": str(claim.version),
                "ours": "; ".join(dict.fromkeys(ours)), "rule": "; ".join(rules),
                "verdict": judged.verdict, "experiments": ", ".join(judged.experiments),
                **_before(judged), **_decides(report, judged),
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _before(judged: Judged) -> dict[str, str]:
    first = next(iter(judged.earlier), None)
    outcomes = judged.outcomes if first is None else first.outcomes
    amended = first is not None and first.amendment is not None
    return {
        "earlier_rule": "; ".join(words.rule(o.criterion) for o in outcomes),
        "earlier_ours": "; ".join(dict.fromkeys(map(words.ours, outcomes))),
        "earlier_verdict": judged.verdict if first is None else first.verdict,
        "changed": "" if first is None else f"{'amended' if amended else 'seeds'} {first.date}",
    }


def _decides(report: Report, judged: Judged) -> dict[str, str]:
    id = judged.claim.id
    found, order = report.chances.get(id), report.orders.get(id)
    published, no_effect = (
        "" if found is None or of is None else f"{of[REPRODUCED]:.2f}"
        for of in ((found.published, found.no_effect) if found else (None, None))
    )
    return {
        "reproduced_if_published": published,
        "reproduced_if_no_effect": no_effect,
        "seeds_needed": words.more_seeds(judged, found),
        "rule_commit": str(order.rule or "") if order else "",
        "earliest_run_commit": str(order.earliest or "") if order else "",
        "latest_run_commit": str(order.latest or "") if order else "",
        "order": order.said if order else "",
    }


def environment(autoescape: bool) -> Environment:
    """Templates with what all pages need: filters, and the style sheet."""
    found = Environment(
        loader=PackageLoader("analysis.report"), autoescape=autoescape, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    found.filters["slug"] = lambda text: re.sub(r"\W+", "-", text)
    found.filters |= {"cells": _cells, "unbroken": _unbroken, "md": _escaped, "table": _as_markdown}
    style, _, _ = found.loader.get_source(found, "style.css")  # type: ignore[union-attr]
    found.globals["style"] = Markup(style)
    found.filters["split_title"] = lambda name: name.partition(": ")[2] or name
    return found


def _picture(path: Path) -> Picture:
    content = path.read_bytes()
    pixels = struct.unpack(">II", content[16:24])  # of the header of every PNG
    width, height = (round(n * SCREEN / contents.DPI) for n in pixels)
    return Picture("data:image/png;base64," + base64.b64encode(content).decode(), width, height)


def _unbroken(text: str) -> str:
    """Intervals and equations are not broken over two lines."""
    return TOGETHER.sub(lambda found: found.group().replace(" ", "\N{NO-BREAK SPACE}"), text)


def _cells(frame: pd.DataFrame) -> list[list[str]]:
    """The rows of a readable table as text, numbers to six significant digits."""
    return [[_cell(value) for value in row] for row in frame.astype(object).to_numpy().tolist()]


def _cell(value: Any) -> str:
    if value is None or value != value:
        return "–"
    return f"{value:,.6g}" if isinstance(value, float) else str(value)


def _escaped(text: object) -> str:
    """Text in Markdown, where none of it is a mark."""
    return MARKS.sub(r"\\\1", " ".join(str(text).split()))


def _as_markdown(frame: pd.DataFrame) -> str:
    rows = [[_escaped(value) for value in row] for row in _cells(frame)]
    columns = [_escaped(column) for column in frame]
    if len(set(columns)) < len(columns):
        raise ValueError(f"two columns have one name: {columns}")
    return table_text(pd.DataFrame(rows, columns=columns, dtype=object), "github")
