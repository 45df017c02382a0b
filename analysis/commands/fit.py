"""`fit`."""

import argparse

import pandas as pd

from analysis.commands import common
from analysis.output import names as naming
from analysis.output import paper, symbols
from analysis.output.formats import counted, interval, number, p_value
from analysis.output.notes import listed
from analysis.output.tables import table_text, texts, write_table
from analysis.runs.tables import mixtures
from grokpipe.curves.definitions import is_ratio
from grokpipe.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    common.add_folder(parser)
    common.add_to(parser)
    parser.add_argument("--event", help=f"{common.EVENT_HELP}; default: all but the ratios")
    parser.add_argument(
        "--against", default="weight_decay",
        help="a configuration column of numbers, or several with commas for a joint fit "
        "(weight_decay,lr)",
    )  # fmt: skip
    common.add_format(parser)


def run(options: argparse.Namespace) -> None:
    """Fit τ = C λ^(−k) by the censored likelihood (log-normal scatter; a time is known between two
    evaluations; a run without the event counts as later than its last step), beside an exponential
    and a logarithmic law by AIC. The theorem of Sakamoto & Sato (2026) is read as k = 0 for τ1 and
    k = 1 for τ2; it bounds times from below, so that only k > 1 contradicts it. Writes
    tables/fit_<against>….{csv,md,tex} and figures/fit_<event>_<against>; an event that allows no
    fit keeps its row, with the reason, and if none does, the command fails."""
    from analysis.figures import power_law as drawing
    from analysis.figures.style import prepare, save
    from analysis.times import power_law, regression
    from analysis.times.timescales import undefined

    tables, long, names = common.read_events(options, options.event)
    against = [
        common.column(name, tables, "--against")
        for name in dict.fromkeys(options.against.split(","))
    ]
    names = names or [name for name in long["event"].unique() if not is_ratio(name)]
    common.print_notes(
        [
            *mixtures(tables.cells),
            *common.unfinished(tables),
            *undefined(long, tables, against, names if options.event else []),
        ]
    )
    long, left_out = regression.with_logarithms(long, against)
    common.print_notes(left_out)
    common.refuse_pooled(tables.only(long["key"]), against, "--against")
    table = power_law.exponents(long, names, against, common.generator())
    if table["k"].isna().all():
        raise InputError(
            "nothing can be fitted: " + listed([*table["note"].unique()], "event", "; ")
        )
    shown = tables.only(long["key"])
    print(table_text(readable(table)))
    to, name = common.destination(options), naming.stem(["fit", *against], options)
    contents = texts([readable(table)])
    if options.format == "paper":
        contents = paper.texts([printed(table)], name)
        print(f"\nthe LaTeX table needs {paper.NEEDED}")
    paths = write_table(shown, to / "tables", name, table, contents)
    prepare()
    missing: dict[tuple[int, int], list[str]] = {}
    for name in table.loc[table["k"].notna(), "event"].unique():
        of_event = long[long["event"] == name]
        if hidden := int(drawing.not_drawn(of_event, against).sum()):
            missing.setdefault((hidden, len(of_event)), []).append(name)
        figure = drawing.draw(of_event, power_law.fit(of_event, against, common.generator()))
        stem = naming.stem(["fit", name, *against], options, "where")
        paths += save(shown, to / "figures", stem, figure)
    common.print_notes(
        f"note: {hidden} of {runs} runs are not drawn for {listed(events, 'event')}: a logarithmic "
        f"axis shows neither 0 nor a missing {against[0]}"
        for (hidden, runs), events in missing.items()
    )
    common.print_written(paths)


def printed(table: pd.DataFrame) -> paper.PaperTable:
    """The exponents for print; events that allow no fit are left out."""
    fitted = table[table["k"].notna()]
    shown = readable(fitted)
    heads = {
        "event": "event",
        "against": "against",
        "k [95 %]": "$k$ [95 %]",
        "observed": "observed",
        "R²": "$R^2$",
        "lack of fit, p": r"$p_{\mathrm{lack}}$",
        "ΔAIC exponential": r"$\Delta_{\mathrm{exp}}$",
        "ΔAIC logarithmic": r"$\Delta_{\mathrm{log}}$",
    }
    shown = shown.assign(
        event=shown["event"].map(symbols.event), against=shown["against"].map(symbols.column)
    )
    note = (
        "Maximum likelihood with log-normal scatter; a time is known between two evaluations, and "
        "a run without the event is censored at the end of its training; observed: runs with the "
        r"event. $p_{\mathrm{lack}}$: test for lack of fit of the power law. $\Delta$: AIC of an "
        "exponential and of a logarithmic law less that of the power law. Brackets are 95 % "
        "intervals."
    )
    law = r"Exponents of the power law $\tau = C x^{-k}$."
    shown["k [95 %]"] = shown["k [95 %]"].map(paper.stacked)
    return paper.PaperTable(shown[[*heads]].rename(columns=heads), law, note)


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """The exponents for people."""
    rows = [
        {
            "event": row["event"],
            "against": row["column"],
            "k [95 %]": f"{number(row['k'], 2)} {interval(row['lower'], row['upper'], 2)}".rstrip(),
            "method": row["method"] if pd.notna(row["k"]) else "–",
            "observed": counted(row["observed"], row["n"], row["runs"]),
            "range": f"{row['min']:g} – {row['max']:g}" if pd.notna(row["k"]) else "–",
            "R²": number(row["r2"], 2),
            "lack of fit, p": p_value(row["lack_of_fit"]),
            "ΔAIC exponential": number(row["delta_aic_exponential"], 1, "+"),
            "ΔAIC logarithmic": number(row["delta_aic_logarithmic"], 1, "+"),
            "note": row["note"].removeprefix(f"{row['event']}: "),
        }
        for row in table.to_dict("records")
    ]
    shown = pd.DataFrame(rows)
    return shown if shown["note"].any() else shown.drop(columns="note")
