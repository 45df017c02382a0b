"""Columns of other people's tables in the types of ours, without changing a value."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

MISSING = ("", "nan", "NaN", "None", "null", "<NA>")
"""how other programs write that a number is missing, in a column of numbers as text"""
EXACT = 22  # 10**22 is the largest power of ten that is a float64
DIGITS = 9  # tell any two float32 numbers apart


def plain(column: pa.ChunkedArray) -> pd.Series:
    """The same values in the types of our own tables.

    Lists become text as in `grokpipe.config.fields.flatten`; numbers written as text become
    numbers; narrow floats become float64 by their shortest decimal; dates and bytes become text.
    """
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if pa.types.is_nested(kind):
        return pd.Series([_text(item, kind) for item in column.to_pylist()], dtype=object)
    if pa.types.is_decimal(kind):
        column = column.cast(pa.float64())
    elif pa.types.is_temporal(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        column = column.cast(pa.string())
    values = column.to_pandas()
    if pa.types.is_float16(kind) or pa.types.is_float32(kind):
        return pd.Series(shortest(values.to_numpy()))
    if values.dtype != object or pa.types.is_boolean(kind):
        return values
    return numbers(values)


def numbers(values: pd.Series) -> pd.Series:
    """A column of text as numbers if all of it are finite ones or MISSING; else as it is."""
    texts = pd.Series(values.dropna().unique())
    known = texts[~texts.isin(MISSING)]
    parsed = pd.to_numeric(known, errors="coerce")
    if known.empty or not np.isfinite(parsed.to_numpy(float)).all():
        return values
    by_text = dict(zip(known, parsed.to_list(), strict=True))
    return pd.to_numeric(values.map(by_text))


def whole(values: pd.Series) -> tuple[pd.Series, NDArray[np.bool_]]:
    """Whole numbers as int64, and where there are none: words, fractions, NaN, infinities."""
    if pd.api.types.is_integer_dtype(values.dtype):
        return values.astype(np.int64), (values > np.iinfo(np.int64).max).to_numpy(bool)
    if pd.api.types.is_bool_dtype(values.dtype) or not pd.api.types.is_numeric_dtype(values.dtype):
        parsed = pd.to_numeric(values, errors="coerce").to_numpy(float, na_value=np.nan)
        parsed = np.where(values.map(type).eq(bool), np.nan, parsed)
    else:
        parsed = values.to_numpy(float)
    with np.errstate(invalid="ignore"):
        wrong = ~(np.isfinite(parsed) & (parsed == np.round(parsed)) & (np.abs(parsed) < 2.0**63))
    return pd.Series(np.where(wrong, 0, parsed).astype(np.int64), index=values.index), wrong


def shortest(values: ArrayLike) -> NDArray[np.float64]:
    """float64 numbers that are written as these narrower floats are at their shortest: 0.2 for the
    float32 0.2, which is 0.20000000298023224. NaN and infinities stay."""
    narrow = np.asarray(values)
    exact = narrow.astype(np.float64)
    result = exact.copy()
    with np.errstate(divide="ignore"):
        exponent = np.floor(np.log10(np.abs(exact)))
    usual = np.abs(exponent) <= EXACT - DIGITS
    left = np.flatnonzero(usual)
    for digits in range(1, DIGITS + 1):
        scale = digits - 1 - exponent[left]
        power, up = 10.0 ** np.abs(scale), scale >= 0
        rounded = np.round(np.where(up, exact[left] * power, exact[left] / power))
        decimal = np.where(up, rounded / power, rounded * power)
        with np.errstate(over="ignore"):  # beyond the narrow type: then it is another number
            same = decimal.astype(narrow.dtype) == narrow[left]
        result[left[same]] = decimal[same]
        left = left[~same]
    for at in np.flatnonzero(~usual & np.isfinite(exponent)):  # no float64 is such a power of ten
        result[at] = float(str(narrow[at]))
    return result


def _text(value: Any, kind: pa.DataType) -> str | None:
    if value is None:
        return None
    if not isinstance(value, list):
        return str(value)
    items = value
    if pa.types.is_float16(kind.value_type) or pa.types.is_float32(kind.value_type):
        items = shortest(np.array(value, dtype=kind.value_type.to_pandas_dtype())).tolist()
    return "[" + ", ".join(map(str, items)) + "]"
