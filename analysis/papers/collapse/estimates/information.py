"""When redundant information changes in one run (Sakamoto & Sato 2026, Figure 4, Proposition 3.3).

Information is known at snapshots only, RNC1 at every evaluation: lags read it at snapshots too.
"""

import pandas as pd

from analysis.papers.collapse.estimates.lags import log_lag
from grokpipe.curves.events import RNC1, known

NHSIC = "information/nhsic_difference"
COMPRESSION = "information/compression_difference"
OF_INPUT, OF_LABEL = "information/compression_5nn_x", "information/compression_5nn_y"
"""I(Z;X) and I(Z;Y) by the estimator with the least bias and spread"""
RISE = 0.1
"""share of its range by which information must rise to its largest value"""


def log_lag_of_nhsic(curve: pd.DataFrame) -> float:
    """How much later than RNC1 the difference of nHSIC changes (`log_lag`)."""
    return log_lag(curve, RNC1, NHSIC)


def log_lag_of_compression(curve: pd.DataFrame) -> float:
    """How much later than RNC1 the difference of compressed information changes (`log_lag`)."""
    return log_lag(curve, RNC1, COMPRESSION)


def label_information_rises_first(curve: pd.DataFrame) -> bool | None:
    """Whether I(Z;Y) and I(Z;X) both rise by RISE of their range at least, to their largest value
    from the least before it, and half of that rise is done in I(Z;Y) no later than in I(Z;X). None
    where one of them is not known at two snapshots."""
    if not {OF_LABEL, OF_INPUT} <= {*curve}:
        return None
    both = [known(curve["step"], curve[column]) for column in (OF_LABEL, OF_INPUT)]
    if min(len(values) for _, values in both) < 2:
        return None
    halves = []
    for steps, values in both:
        peak = int(values.argmax())
        start = int(values[: peak + 1].argmin())
        rise = values[peak] - values[start]
        if not rise >= RISE * (values.max() - values.min()) > 0:
            return False
        reached = values[start:] >= values[start] + rise / 2
        halves.append(steps[start + int(reached.argmax())])
    return bool(halves[0] <= halves[1])
