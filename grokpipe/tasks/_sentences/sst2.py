"""SST-2 as GLUE distributes it (Socher et al. 2013; Wang et al. 2019): a TSV of sentence and label.

The published files are `train.tsv` and `dev.tsv`; quotation marks are text. `test.tsv` has no
labels.
"""

import csv

from grokpipe.tasks._sentences.source import Rows, Source
from grokpipe.tasks._sentences.table import columns, delimited


def read(source: Source) -> Rows:
    """Read the columns `sentence` and `label`."""
    text = source.decoded("utf-8")
    table = delimited(source, "\t", text, quoting=csv.QUOTE_NONE)
    return columns(source, table, "sentence", "label")
