"""`figures`."""

import argparse

from analysis.commands import common
from grokpipe.errors import InputError

HELP = "accuracies, RNC1 and NC2 over steps, by group"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    common.add_folder(parser)
    parser.add_argument("--by", help="a configuration column; default: whatever was swept")


def run(options: argparse.Namespace) -> None:
    """Draw the figures that the folder's runs allow, as pdf and png, into <folder>/figures/."""
    from analysis.figures import collapse
    from analysis.figures.style import prepare, save

    tables = common.read(options.folder, collapse.PANELS)
    by = common.columns(options.by, tables)
    if len(by) != 1:
        raise InputError(f"--by {','.join(by)}: a figure takes one column; name one of them")
    missing = [column for column in collapse.PANELS if column not in tables.curves]
    if missing:
        raise InputError(f"{options.folder}: no column {missing[0]}; the runs did not measure it")
    without = int(tables.cells[by[0]].isna().sum())
    common.print_notes(
        [
            *common.pooled(tables, by),
            *common.unfinished(tables),
            *([f"note: {without} runs have no {by[0]}: they are not drawn"] if without else []),
        ]
    )
    prepare()
    name = f"collapse_{by[0].replace('.', '_')}"
    shown = tables.only(tables.cells.dropna(subset=by)["key"]).spread(by)
    figure = collapse.draw(shown.curves, by[0])
    paths = save(shown, options.folder / "figures", name, figure)
    print("written: " + " ".join(map(str, paths)))
