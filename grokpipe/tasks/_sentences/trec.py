"""TREC questions (Li & Roth 2002): `LABEL:fine question` a line, of which the coarse label counts.

The published files are `train_5500.label` and `TREC_10.label`, in Latin-1.
"""

from grokpipe.errors import InputError
from grokpipe.tasks._sentences.source import Rows, Source


def read(source: Source) -> Rows:
    """Read coarse labels and questions; a blank line is a row without text."""
    texts, labels = [], []
    for number, line in enumerate(source.decoded("latin-1").rstrip("\r\n").split("\n"), start=1):
        kind, _, question = line.strip().partition(" ")
        coarse, colon, fine = kind.partition(":")
        if kind and not (coarse and colon and fine):
            raise InputError(
                f"{source.key}: line {number:,} begins with {kind!r}; must begin with COARSE:fine"
            )
        texts.append(question.strip())
        labels.append(coarse)
    return Rows(texts, labels)
