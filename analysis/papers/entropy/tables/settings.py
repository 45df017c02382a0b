"""E0: every setting that the paper leaves open, beside its own baseline."""

import pandas as pd

from analysis.claims.arms import Runs
from analysis.papers.entropy.estimates.setting_calibration import readable, rule, variants


def tables(runs: Runs) -> dict[str, pd.DataFrame]:
    """All variants by their distance to the paper's baseline. Raises NotRun."""
    found = variants(runs.arm("settings").tables, rule())
    return {"E0: distance of each setting to the published baseline": readable(found)}
