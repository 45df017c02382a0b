"""`forecast`."""

import argparse
import re

import pandas as pd

from analysis.commands import common
from analysis.output import names as naming
from analysis.output.notes import listed
from analysis.output.tables import table_text, write_table
from analysis.runs.tables import mixtures
from grokpipe.errors import InputError

UNMEASURED = "the runs did not measure it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    common.add_folder(parser)
    common.add_to(parser)
    parser.add_argument(
        "--event", default="t_grok",
        help="an event, or a condition in quotes ('test_accuracy>=0.9'); default: t_grok",
    )  # fmt: skip
    parser.add_argument(
        "--predictor", default="spectral/entropy_train",
        help="the column of the curves to forecast from; default: spectral/entropy_train",
    )  # fmt: skip
    parser.add_argument(
        "--tolerance", type=float, default=0.2,
        help="lead time: from where on the error stays within this share; default: 0.2",
    )  # fmt: skip


def run(options: argparse.Namespace) -> None:
    """Forecast the time to an event from the gap to the predictor's value at it, the law fitted to
    the other seeds of the same arm (Truong et al. 2026, eq. 2), always beside two forecasts that
    need no law: "now", and the mean of the other seeds. Then how much the gap and its rivals tell,
    in sample and out of sample. Intervals resample seeds. Writes
    tables/forecast_{errors,calibration,laws}_<event> and a figure for each arm."""
    from analysis.figures import forecast as drawing
    from analysis.figures.style import prepare, save
    from analysis.forecasting import forecasts, gap_laws, predictors

    if not 0 < options.tolerance < 1:
        raise InputError(f"--tolerance {options.tolerance:g}: must be between 0 and 1")
    tables, long, names = common.read_events(
        options, options.event, predictors.MEASURES, common.required(options.predictor)
    )
    event, *others = names or []
    if others:
        raise InputError(f"--event {options.event}: a forecast is of one event; name one of them")
    forecast, told = forecasts.leave_one_out(tables, long, event, options.predictor)
    errors = forecasts.errors(forecast, options.tolerance)
    coverage = forecasts.coverage(forecast)
    common.print_notes([*mixtures(tables.cells), *common.unfinished(tables)])
    laws, told_of_laws = gap_laws.laws(
        tables, long, event, common.generator(), track=common.track("fitting laws")
    )
    common.print_notes([*told, *_in_short(told_of_laws)])
    shown = tables.only(forecast["key"].unique())
    made = (
        ("errors", f"Error of forecasts of {event}, |T̂ − T|/T, and lead time in steps "
         f"(error within {options.tolerance:.0%})", errors, forecasts.readable_errors(errors)),
        ("calibration", "Predictive intervals", coverage,
         forecasts.readable_coverage(coverage)),
        ("laws", f"Steps until {event} by each predictor", laws, gap_laws.readable(laws)),
    )  # fmt: skip
    for _, title, _, readable in made:
        print(f"{title}\n\n{table_text(readable)}\n")
    to, paths = common.destination(options), []
    for name, _, table, readable in made:
        stem = naming.stem(["forecast", name, event], options, without=["event"])
        paths += write_table(shown, to / "tables", stem, table, readable)
    prepare()
    by = list(forecast.columns[: forecast.columns.get_loc("key")])
    for number, arm in enumerate(_arms(forecast, by)):
        parts = ["forecast", event, *([str(number)] if by else [])]
        name = naming.stem(parts, options, "predictor", "where")
        paths += save(shown, to / "figures", name, drawing.draw(forecast, arm))
    common.print_written(paths)


def _in_short(notes: list[str]) -> list[str]:
    """The notes with one for all laws of an arm that lack a measure."""
    others, missing = [], dict[str, tuple[dict[str, None], dict[str, None]]]()
    for note in notes:
        if found := re.fullmatch(rf"note: (.*): (.*) left out: (.*): {UNMEASURED}", note):
            laws, measures = missing.setdefault(found[1], ({}, {}))
            laws[found[2]] = measures[found[3]] = None
        else:
            others.append(note)
    return others + [
        f"note: {arm}: {UNMEASURED.replace('it', listed([*measures], 'measure'))}: no law of "
        + listed([*laws], "predictor")
        for arm, (laws, measures) in missing.items()
    ]


def _arms(forecast: pd.DataFrame, by: list[str]) -> list[dict[str, object]]:
    return forecast[by].drop_duplicates().to_dict("records") if by else [{}]
