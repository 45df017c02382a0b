"""AG News (Zhang, Zhao & LeCun 2015): a CSV of class, title and description without a header.

The published files are `train.csv` and `test.csv`.
"""

from grokpipe.errors import InputError
from grokpipe.tasks._sentences.source import Rows, Source
from grokpipe.tasks._sentences.table import delimited

CLASSES = {"1": "World", "2": "Sports", "3": "Business", "4": "Sci/Tech"}


def read(source: Source) -> Rows:
    """Read title and description as one text, and the class by its name."""
    names = ["class", "title", "description"]
    table = delimited(source, ",", source.decoded("utf-8"), header=None, names=names)
    titles = table["title"].str.strip() + " " + table["description"].str.strip()
    for row, value in enumerate(table["class"], start=1):
        if value and value not in CLASSES:
            raise InputError(
                f"{source.key}: row {row:,} has class {value!r}; valid: {', '.join(CLASSES)}"
            )
    return Rows(
        [*titles.str.strip()],
        [CLASSES.get(value, "") for value in table["class"]],
    )
