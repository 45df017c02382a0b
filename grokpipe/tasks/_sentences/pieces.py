"""Word pieces by byte-pair merges (Sennrich, Haddow & Birch 2016), learned from counted words.

A word begins as its characters; all but the first are marked by ##. The most frequent pair of
neighbours becomes one piece, the alphabetically first of those that are equally frequent, again
and again. A word is cut by the merges in the order in which they were learned.

The rule is short and fixed; the package `tokenizers` has it too, but brings a client of a model hub
along.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

MARK = "##"
Pair = tuple[str, str]


def characters(word: str) -> list[str]:
    """The pieces that a word begins as."""
    return [letter if at == 0 else MARK + letter for at, letter in enumerate(word)]


def joined(pair: Pair) -> str:
    """The piece that two neighbours become."""
    return pair[0] + pair[1].removeprefix(MARK)


def merged(pieces: Sequence[str], pair: Pair) -> list[str]:
    """Join each occurrence of `pair`, from the left."""
    result: list[str] = []
    at = 0
    while at < len(pieces):
        together = tuple(pieces[at : at + 2]) == pair
        result.append(joined(pair) if together else pieces[at])
        at += 2 if together else 1
    return result


@dataclass
class Pieces:
    """Pieces in the order of their learning, and the merges that make them."""

    names: list[str]
    ranks: dict[Pair, int]
    _known: dict[str, list[str]] = field(default_factory=dict)

    def cut(self, word: str) -> list[str]:
        """Cut a word into pieces; characters that were never seen remain as they are."""
        if word not in self._known:
            pieces = characters(word)
            while pairs := self.ranks.keys() & {*pairwise(pieces)}:
                pieces = merged(pieces, min(pairs, key=self.ranks.__getitem__))
            self._known[word] = pieces
        return self._known[word]


def learned(counts: Mapping[str, int], size: int) -> Pieces:
    """Learn at most `size` pieces from words and how often each occurs.

    Characters come first, the most frequent ones if there are more than `size`. Merges end where
    no pair occurs twice.
    """
    words = [characters(word) for word in counts]
    times = [*counts.values()]
    letters: Counter[str] = Counter()
    pairs: Counter[Pair] = Counter()
    where: defaultdict[Pair, set[int]] = defaultdict(set)
    for at, (pieces, count) in enumerate(zip(words, times, strict=True)):
        for piece in pieces:
            letters[piece] += count
        for pair in pairwise(pieces):
            pairs[pair] += count
            where[pair].add(at)
    names = dict.fromkeys(sorted(letters, key=lambda piece: (-letters[piece], piece))[:size])
    ranks: dict[Pair, int] = {}
    queue = [(-count, pair) for pair, count in pairs.items()]
    heapq.heapify(queue)
    while queue and len(names) < size:
        count, best = heapq.heappop(queue)
        if -count != pairs[best]:
            continue  # its count has changed since: it is in the queue again
        if -count < 2:
            break
        ranks[best] = len(ranks)
        names[joined(best)] = None
        changed = set()
        for at in where.pop(best):
            before, after = words[at], merged(words[at], best)
            if len(after) == len(before):
                continue  # an earlier merge has taken one of the two
            for pair in pairwise(before):
                pairs[pair] -= times[at]
                changed.add(pair)
            for pair in pairwise(after):
                pairs[pair] += times[at]
                changed.add(pair)
                where[pair].add(at)
            words[at] = after
        for pair in changed - {best}:
            if pairs[pair]:
                heapq.heappush(queue, (-pairs[pair], pair))
        del pairs[best]
    return Pieces([*names], ranks)
