"""Tables of hundreds of thousands of rows as csv, to the letter as `DataFrame.to_csv` has it."""

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

MANY = 10_000  # rows from which on pandas, which formats every cell anew, is slow


def csv_text(table: pd.DataFrame) -> str:
    """The table as csv, without its index; each different value of a column is formatted once."""
    columns = [_texts(column) for _, column in table.items()] if len(table) >= MANY else []
    known = [texts for texts in columns if texts is not None]
    if not known or len(known) < len(columns):
        return str(table.to_csv(index=False))
    parts = [table[:0].to_csv(index=False)]
    for first in range(0, len(table), MANY):  # an Arrow text holds 2 GB at most
        rows = [texts.slice(first, MANY) for texts in known]
        parts += ["\n".join(pc.binary_join_element_wise(*rows, ",").to_pylist()), "\n"]
    return "".join(parts)


def _texts(column: pd.Series) -> pa.Array | None:
    """The column as pandas writes it; None where values that differ are written as equal ones are
    found: several types in one column, or lines within a text."""
    if pd.api.types.infer_dtype(column, skipna=True).startswith("mixed"):
        return None
    codes, different = pd.factorize(column, use_na_sentinel=False)
    values = pd.DataFrame({"": different.astype(column.dtype), "end": 0})
    lines = values.to_csv(index=False, header=False, lineterminator="\n").split(",0\n")
    return pa.array(lines[:-1]).take(pa.array(codes)) if len(lines) == len(values) + 1 else None
