"""`python -m analysis paper entropy settings`: the setting calibration of E0."""

import sys
from pathlib import Path

from analysis.output.tables import table_text, write_table
from analysis.papers.entropy.estimates.setting_calibration import readable, rule, variants
from analysis.runs import gather
from analysis.runs.tables import Tables, mixtures, of_experiment
from grokpipe.store import manifest

HELP = "which setting comes nearest to what the paper tells of its baseline (E0)"
FOLDER = Path("outputs/reference/entropy/e0_fingerprint")
EXPERIMENT = "entropy/e0_fingerprint"


def run(folder: Path, to: Path) -> None:
    """The variants of E0 by their distance to the published baseline, as settings.yaml states it:
    on the screen, and as csv, md and tex in <to>/tables/. Of a folder of run logs only those
    count that experiment=entropy/e0_fingerprint asked for, if it did: its other experiments share
    settings with E0's variants, but not seeds."""
    tables = gather.chosen(_of_e0(gather.read_every(folder), folder))
    for note in (*tables.notes, *mixtures(tables.cells)):
        print(note, file=sys.stderr)
    found = variants(tables, rule())
    shown = readable(found)
    print(table_text(shown))
    paths = write_table(tables, to / "tables", "calibration", found, shown)
    print("\nwritten: " + " ".join(map(str, paths)))


def _of_e0(tables: Tables, folder: Path) -> Tables:
    logs = manifest.cells_folder(folder).is_dir()
    if logs and (manifest.read_asked(folder)["experiment"] == EXPERIMENT).any():
        return of_experiment(tables, folder, EXPERIMENT)
    return tables
