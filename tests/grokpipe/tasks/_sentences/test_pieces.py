"""Byte-pair merges against the published example and a slow form that counts anew each time."""

import random
from collections import Counter

import pytest

from grokpipe.tasks._sentences.pieces import MARK, characters, joined, learned, merged


def slowly(counts: dict[str, int], size: int) -> tuple[list[str], list[tuple[str, str]]]:
    """Pieces and merges, counted anew for each merge."""
    words = {word: characters(word) for word in counts}
    letters: Counter[str] = Counter()
    for word, n in counts.items():
        letters.update({c: k * n for c, k in Counter(words[word]).items()})
    names = sorted(letters, key=lambda c: (-letters[c], c))[:size]
    merges = []
    while len(names) < size:
        pairs: Counter[tuple[str, str]] = Counter()
        for word, n in counts.items():
            for pair in zip(words[word], words[word][1:]):
                pairs[pair] += n
        best = min(pairs, key=lambda pair: (-pairs[pair], pair), default=None)
        if best is None or pairs[best] < 2:
            break
        merges.append(best)
        words = {word: merged(pieces, best) for word, pieces in words.items()}
        names += [joined(best)] if joined(best) not in names else []
    return names, merges


@pytest.mark.parametrize("seed", range(5))
def test_merges_are_those_of_counting_anew(seed: int) -> None:
    """On words of few letters, which repeat pairs and meet one piece by two merges."""
    draws = random.Random(seed)
    words = ["".join(draws.choices("abc", k=draws.randint(1, 9))) for _ in range(60)]
    counts = {word: draws.randint(1, 4) for word in words}
    for size in (4, 20, 10_000):
        pieces = learned(counts, size)
        assert (pieces.names, [*pieces.ranks]) == slowly(counts, size)
        if size > 4:
            assert all(piece in pieces.names for word in words for piece in pieces.cut(word))


def test_the_published_example() -> None:
    """Sennrich et al. (2016), Figure 1: low, lower, newest, widest."""
    pieces = learned({"low": 5, "lower": 2, "newest": 6, "widest": 3}, 10_000)
    assert {"##est", "low", "newest", "widest"} <= {*pieces.names}
    assert pieces.cut("lowest") == ["low", "##est"]
    assert pieces.cut("lowér") == ["low", "##é", "##r"]


def test_a_word_is_its_pieces_without_marks() -> None:
    pieces = learned(Counter("the theatre then breathes the other ether".split()), 25)
    for word in ("theatre", "breath", "zzz", "a"):
        assert "".join(piece.removeprefix(MARK) for piece in pieces.cut(word)) == word
