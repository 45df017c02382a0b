"""Information measures of Sakamoto & Sato (2026), on the test set; docs/information.md."""

from grokpipe.measures.information.columns import COLUMNS, measure, unfit

__all__ = ["COLUMNS", "measure", "unfit"]
