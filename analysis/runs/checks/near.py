"""Values of one configuration column that only rounding tells apart: 0.3 and 0.1 + 0.2."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

DIGITS = 12  # significant digits to which values are compared


def merged(cells: pd.DataFrame, columns: Iterable[str]) -> tuple[pd.DataFrame, list[str]]:
    """Take floats of a column that are equal to 12 significant digits for one value, the one that
    is written shortest; return the cells, and a note for each such value."""
    changed: dict[str, pd.Series] = {}
    taken: dict[str, list[str]] = {}  # what is said of several columns is said once
    for column in columns:
        values = cells[column]
        if not pd.api.types.is_float_dtype(values.dtype):
            continue
        alike: dict[str, list[float]] = {}
        for value in values[np.isfinite(values)].unique().tolist():
            alike.setdefault(f"{value:.{DIGITS}g}", []).append(value)
        for several in alike.values():
            if len(several) > 1:
                first, *others = sorted(several, key=lambda value: (len(repr(value)), value))
                runs = values.isin(others)
                values = values.mask(runs, first)
                names = ", ".join(map(repr, others))
                said = f"{names} of {runs.sum()} runs is taken for {first!r}"
                taken.setdefault(said, []).append(column)
        changed[column] = values
    notes = [
        f"note: {', '.join(columns)}: {said}, equal to {DIGITS} digits"
        for said, columns in taken.items()
    ]
    return cells.assign(**changed), notes
