"""Words for people: packs by what they train (`mod_add · weight_decay 0.1, 1.0 · seeds 0–4`), and
numbers with their nouns."""

from collections.abc import Mapping, Sequence
from typing import Any

from grokpipe.config.fields import flatten
from grokpipe.config.schema import operational_names

SEPARATOR = " · "
MOST = 4  # values of a key written out; of more, the first and the last
Configs = Sequence[Mapping[str, Any]]
"""resolved configurations, nested"""


def swept(configs: Configs) -> list[str]:
    """Dotted names of the scientific keys, besides the seed, in which these cells differ.

    A key of a group that repeats a shared default is left out: `optimizer.lr` where `lr` differs.
    """
    operational = operational_names()
    flat = [flatten(dict(config)) for config in configs]
    names = [name for name in dict.fromkeys(n for one in flat for n in one)
             if name not in operational and name != "seed"]  # fmt: skip
    values = {name: [one.get(name) for one in flat] for name in names}
    return [
        name
        for name in names
        if any(value != values[name][0] for value in values[name])
        and values[name] != values.get(name.rpartition(".")[2] if "." in name else "")
    ]


def pack_name(configs: Configs, varied: Sequence[str] = ()) -> str:
    """Name cells that train together by their task, their values of the keys that are `varied` in
    the sweep, and their seeds."""
    flat = [flatten(dict(config)) for config in configs]
    tasks = _distinct(one.get("task.name") for one in flat)
    parts = [_listed(tasks)]
    for name in dict.fromkeys([*varied, *swept(configs)]):
        if name != "task.name" and (values := _distinct(one.get(name) for one in flat)):
            parts.append(f"{name.removesuffix('.name')} {_listed(values)}")
    seeds = _distinct(one.get("seed") for one in flat)
    parts.append(f"seed{'s' if len(seeds) > 1 else ''} {_ranges(seeds)}")
    return SEPARATOR.join(parts)


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """A number with its noun: 1 cell, 1,200 cells."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def _distinct(values: Any) -> list[Any]:
    """The distinct values, numbers in their order; None, where a cell lacks the key, is left out
    unless it is all there is to tell cells apart."""
    found = [*dict.fromkeys(values)]
    present = [value for value in found if value is not None]
    numbers = all(isinstance(value, int | float) for value in present)
    return sorted(present) if numbers else present


def _listed(values: Sequence[Any]) -> str:
    texts = [str(value) for value in values]
    if len(texts) > MOST:
        return f"{texts[0]} … {texts[-1]} ({len(texts)} values)"
    return ", ".join(texts)


def _ranges(seeds: Sequence[int]) -> str:
    """Whole numbers in ascending order, those in a row as `0–4`."""
    rows: list[list[int]] = []
    for seed in seeds:
        if rows and seed == rows[-1][-1] + 1:
            rows[-1].append(seed)
        else:
            rows.append([seed])
    texts = [f"{row[0]}–{row[-1]}" if len(row) > 2 else ", ".join(map(str, row)) for row in rows]
    return _listed(texts)
