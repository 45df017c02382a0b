"""Vocabularies: numbers of words or word pieces, learned from the sentences of a training set."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from grokpipe.tasks._sentences.pieces import learned
from grokpipe.tasks._sentences.words import words

PADDING, UNKNOWN = 0, 1
SPECIAL = 2  # tokens that are no piece: padding, unknown


@dataclass(frozen=True)
class Vocabulary:
    """Tokens by name, and the rule that cuts a word into names."""

    tokens: dict[str, int]
    cut: Callable[[str], list[str]]

    @property
    def size(self) -> int:
        """Number of tokens, padding and unknown included."""
        return SPECIAL + len(self.tokens)

    def encode(self, text: str) -> list[int]:
        """Tokens of a sentence."""
        names = [name for word in words(text) for name in self.cut(word)]
        return [self.tokens.get(name, UNKNOWN) for name in names]

    def table(self, texts: Sequence[str], length: int) -> np.ndarray:
        """Tokens (n, l) int64 of sentences cut at `length`, padded at their ends to the longest."""
        rows = [self.encode(text)[:length] for text in texts]
        table = np.full((len(rows), max(map(len, rows), default=0) or 1), PADDING)
        for row, tokens in zip(table, rows, strict=True):
            row[: len(tokens)] = tokens
        return table


def build(texts: Sequence[str], rule: str, size: int) -> Vocabulary:
    """Learn a vocabulary of at most `size` tokens from the training sentences.

    Args:
        texts: the training sentences.
        rule: `words`, the most frequent ones, the alphabetically first of those that are equally
            frequent; or `pieces`, see pieces.py.
        size: largest number of tokens, padding and unknown included.
    """
    counts = Counter(word for text in texts for word in words(text))
    if rule == "pieces":
        pieces = learned(counts, size - SPECIAL)
        names, cut = pieces.names, pieces.cut
    else:
        names = sorted(counts, key=lambda word: (-counts[word], word))[: size - SPECIAL]
        cut = _whole
    return Vocabulary({name: SPECIAL + at for at, name in enumerate(names)}, cut)


def _whole(word: str) -> list[str]:
    return [word]
