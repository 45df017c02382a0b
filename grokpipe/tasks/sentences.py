"""Sentences and their classes, from a table or a published data set, as words or word pieces."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import as_file, files
from importlib.resources.abc import Traversable
from pathlib import Path

import numpy as np
import torch

from grokpipe.config.fields import operational, scientific
from grokpipe.errors import InputError
from grokpipe.tasks import Task, fingerprint
from grokpipe.tasks._sentences import ag_news, sst2, table, trec, vocabulary
from grokpipe.tasks._sentences.source import Rows, Source, digest

READERS = {"table": table.read, "trec": trec.read, "sst2": sst2.read, "ag_news": ag_news.read}
WITH_COLUMNS = ("table", "sst2")
SHIPPED = "movie_sentences.parquet"
MOST = 20  # classes that a file may have however small it is
HASHES = ("sha256", "test_sha256")


@dataclass(frozen=True)
class Config:
    """Configuration of a classification of sentences."""

    name: str = scientific()
    train_size: int = scientific(at_least=1)
    """number of training sentences, the first of the file"""
    path: str | None = operational()
    """file of the sentences; null: the movie sentences that ship with the package"""
    sha256: str | None = scientific()
    """hash of that file, 16 hexadecimal digits of SHA-256; null: filled in before anything runs. A
    file that has changed since is refused"""
    test_path: str | None = operational()
    """file of the test sentences; null: those after the training sentences"""
    test_sha256: str | None = scientific()
    """hash of that file, as `sha256`"""
    test_size: int | None = scientific(at_least=1)
    """number of test sentences, the first ones; null: all"""
    format: str = scientific(choices=tuple(READERS))
    """table: columns of text and label, in CSV, TSV or Parquet by the file's ending; trec, sst2,
    ag_news: as published"""
    text: str | None = scientific()
    """column of the sentences; null: text, or sentence in sst2"""
    label: str | None = scientific()
    """column of the classes; null: label"""
    encoding: str | None = scientific()
    """encoding of the file's text; null: utf-8, or latin-1 for trec"""
    pieces: str = scientific(choices=("words", "pieces"))
    """words: lower-case words and punctuation marks; pieces: byte-pair merges within these"""
    vocabulary: int = scientific(at_least=3)
    """most tokens that are learned from the training sentences, padding and unknown included"""
    length: int = scientific(at_least=1)
    """most tokens of a sentence; what follows is cut off"""


def resolved(config: Config) -> Config:
    """Fill in the hashes of the files, unless they are given. Raises InputError for a file that
    cannot be read, and for options that have no effect."""
    if config.path is None and config.format != "table":
        raise InputError(f"task.format={config.format}: needs the file as task.path")
    if config.format not in WITH_COLUMNS:
        for key in ("text", "label"):
            if (value := getattr(config, key)) is not None:
                raise InputError(
                    f"task.{key}={value}: has no effect with task.format={config.format}; "
                    f"set task.{key}=null"
                )
    given = {name: value for name in HASHES if (value := getattr(config, name)) is not None}
    if config.test_path is None and "test_sha256" in given:
        raise InputError(
            f"task.test_sha256={config.test_sha256}: has no effect with task.test_path=null"
        )
    if config.sha256 and (config.test_sha256 or config.test_path is None):
        return config  # a stored configuration is read without its files
    return replace(_hashed(config), **given)


def load(config: Config, split: torch.Generator) -> Task:
    """Load the first `train_size` sentences as the training set, and the test set.

    The split is that of the files, whatever the seed. Inputs are tokens (n, l), l the length of the
    longest sentence, at most `length`; token 0 pads. Classes are numbered in the order of their
    names, of whole numbers in that of their values.
    """
    now = _hashed(config)
    for name in HASHES:
        then, found = getattr(config, name), getattr(now, name)
        if then is not None and found != then:
            key = _key(config, name.removesuffix("sha256"))
            raise InputError(f"{key}: not the file of task.{name}={then}: its hash is {found}")
    return _loaded(now)


@lru_cache(maxsize=2)
def _loaded(config: Config) -> Task:
    everything = _read(config)
    names = _class_names(everything, _key(config))
    train = everything.first(config.train_size)
    _check_train(config, train, everything)
    test = _test_rows(config, everything, names)
    words = vocabulary.build(train.texts, config.pieces, config.vocabulary)
    texts = train.texts + test.texts
    tokens = words.table(texts, config.length)
    number = {name: at for at, name in enumerate(names)}
    labels = np.array([number[label] for label in train.labels + test.labels])
    rows = torch.arange(len(texts))
    raw = np.frombuffer("\0".join(texts).encode("utf-8", "surrogatepass"), np.uint8)
    return Task(
        inputs=torch.from_numpy(tokens),
        labels=torch.from_numpy(labels),
        train=rows[: len(train.texts)],
        test=rows[len(train.texts) :],
        classes=len(names),
        fingerprint=fingerprint(raw, tokens, labels, np.array([len(train.texts)])),
        vocabulary=words.size,
        padding=vocabulary.PADDING,
    )


def _test_rows(config: Config, everything: Rows, names: Sequence[str]) -> Rows:
    """The test sentences: of the test file, or those that the training set leaves."""
    if config.test_path is None:
        at = config.train_size
        left = Rows(everything.texts[at:], everything.labels[at:])
    else:
        left = _read(config, "test_")
        for row, label in enumerate(left.labels, start=1):
            if label not in names:
                raise InputError(
                    f"{_key(config, 'test_')}: row {row:,} has label {label}, which the training "
                    f"file lacks; valid: {', '.join(names)}"
                )
    if config.test_size is not None and config.test_size > len(left.texts):
        raise InputError(
            f"task.test_size={config.test_size}: must be ≤ {len(left.texts)}, the rows that "
            f"{_key(config, 'test_' if config.test_path else '')} has for it"
        )
    return left.first(config.test_size)


def _read(config: Config, part: str = "") -> Rows:
    """Read a file; every row must have a text and a label."""
    key = _key(config, part)
    with as_file(_file(config, part)) as path:
        source = Source(path, key, config.encoding, config.text, config.label)
        rows = READERS[config.format](source)
    if not rows.texts:
        raise InputError(f"{key}: has no sentences")
    for what, values in (("text", rows.texts), ("label", rows.labels)):
        for row, value in enumerate(values, start=1):
            if not value.strip():
                raise InputError(f"{key}: row {row:,} has no {what}; fill it in or remove the row")
    return rows


def _class_names(rows: Rows, key: str) -> list[str]:
    names = {*rows.labels}
    if len(names) < 2:
        raise InputError(
            f"{key}: all {len(rows.labels):,} rows have label {names.pop()}; must be ≥ 2 classes"
        )
    if len(names) > max(MOST, len(rows.labels) / 2):
        raise InputError(
            f"{key}: {len(names):,} different labels in {len(rows.labels):,} rows; must be classes"
        )
    numbers = all(name.removeprefix("-").isdecimal() for name in names)
    return sorted(names, key=int) if numbers else sorted(names)


def _check_train(config: Config, train: Rows, everything: Rows) -> None:
    most = len(everything.texts) - (config.test_path is None)
    if config.train_size > most:
        rest = "" if config.test_path else ", which leave a row for the test set"
        raise InputError(
            f"train_size={config.train_size}: must be ≤ {most}, the rows of {_key(config)}{rest}"
        )
    if len({*train.labels}) < 2:
        raise InputError(
            f"{_key(config)}: the first {len(train.labels):,} rows, which train, all have label "
            f"{train.labels[0]}; mix the rows"
        )


def _file(config: Config, part: str = "") -> Path | Traversable:
    path: str | None = getattr(config, f"{part}path")
    return files("grokpipe.tasks") / "data" / SHIPPED if path is None else Path(path)


def _key(config: Config, part: str = "") -> str:
    """The file, as error messages name it."""
    path = getattr(config, f"{part}path")
    return "the movie sentences that ship" if path is None else f"task.{part}path={path}"


def _hashed(config: Config) -> Config:
    """The configuration with the hashes of its files as they are now."""
    separate = config.test_path is not None
    return replace(
        config,
        sha256=_digest(config, ""),
        test_sha256=_digest(config, "test_") if separate else None,
    )


def _digest(config: Config, part: str) -> str:
    with as_file(_file(config, part)) as path:
        return digest(path, _key(config, part))
