"""Sentences as a task: split, vocabulary, padding, hashes, and what is refused."""

import hashlib
import re
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from grokpipe.cell import Cell
from grokpipe.errors import InputError
from grokpipe.tasks import Task, sentences
from grokpipe.tasks._sentences.words import words

ROWS = """text,label
The film is GOOD,good
"Bad, bad film!",bad
A good good film,good
Not good but bad,bad
What a bad film,bad
"""
PLAIN = {
    "name": "sentences", "train_size": 3, "path": None, "sha256": None, "test_path": None,
    "test_sha256": None, "test_size": None, "format": "table", "text": None, "label": None,
    "encoding": None, "pieces": "words", "vocabulary": 100, "length": 128,
}  # fmt: skip


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`made.csv` in the working directory."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "made.csv"
    path.write_text(ROWS)
    return path


def loaded(**changes) -> Task:
    return sentences.load(sentences.Config(**PLAIN | changes), torch.Generator())


def test_tokens_of_a_file(file: Path) -> None:
    """Padding 0, unknown 1, then words by how often they train, alphabetically where equal."""
    task = loaded(path="made.csv", length=4)
    order = ["film", "good", "bad", "!", ",", "a", "is", "the"]
    number = {word: 2 + at for at, word in enumerate(order)}
    cut = [
        "the film is good", "bad , bad film", "a good good film", "_ good _ bad", "_ a bad film",
    ]  # fmt: skip
    assert task.inputs.tolist() == [[number.get(w, 1) for w in line.split()] for line in cut]
    assert (task.vocabulary, task.padding, task.classes) == (10, 0, 2)
    assert task.labels.tolist() == [1, 0, 1, 0, 0]  # bad, good
    assert (task.train.tolist(), task.test.tolist()) == ([0, 1, 2], [3, 4])
    longest = loaded(path="made.csv")  # padded to the longest, not to 128
    assert longest.inputs.shape == (5, 5)
    assert longest.inputs[0].tolist() == [9, 2, 8, 3, 0]
    few = loaded(path="made.csv", vocabulary=4)
    assert few.inputs[0].tolist() == [1, 2, 1, 3, 0] and few.vocabulary == 4


def test_the_vocabulary_is_of_the_training_sentences(file: Path) -> None:
    before = {rule: loaded(path="made.csv", pieces=rule) for rule in ("words", "pieces")}
    file.write_text(ROWS.replace("What a bad film", "Zebras quiver ΩΩΩ"))
    for rule, old in before.items():
        new = loaded(path="made.csv", pieces=rule)
        assert new.vocabulary == old.vocabulary
        assert torch.equal(new.inputs[:4, :4], old.inputs[:4, :4])
        assert (new.inputs[4] == 1).any()
        assert new.fingerprint != old.fingerprint


def test_words_are_parted_as_documented() -> None:
    assert words("It's GREAT, 10/10!") == ["it's", "great", ",", "10", "/", "10", "!"]
    assert words("Café:l’été_1 :-)") == ["café", ":", "l’été_1", ":", "-", ")"]
    assert words(" \t\n") == []


def test_a_test_file_and_its_size(file: Path) -> None:
    Path("other.csv").write_text(ROWS.replace("film", "movie"))
    task = loaded(path="made.csv", train_size=5, test_path="other.csv", test_size=2)
    assert (len(task.train), len(task.test), len(task.inputs)) == (5, 2, 7)
    assert (task.inputs[5:] == 1).sum() == 2  # movie, of which none trains
    assert len(loaded(path="made.csv", test_size=1).test) == 1


def test_numbers_are_classes_in_the_order_of_their_values(file: Path) -> None:
    file.write_text("text,label\n" + "".join(f"a,{label}\n" for label in (10, 9, -1, 10)))
    assert loaded(path="made.csv").labels.tolist() == [2, 1, 0, 2]


def test_the_key_holds_what_is_in_a_file_not_where_it_lies(file: Path, compose) -> None:
    base = ("task=sentences", "train_size=3", "batch_size=2")
    Path("copy.csv").write_bytes(file.read_bytes())
    Path("other.csv").write_text(ROWS.replace("but", "and"))

    def cell(name: str, *more: str) -> Cell:
        return Cell.of(compose(*base, f"task.path={name}", *more))

    keys = [cell(name).key for name in ("made.csv", "copy.csv", "other.csv")]
    assert keys[0] == keys[1] != keys[2]
    assert cell("other.csv").fingerprint != cell("made.csv").fingerprint
    config = cell("made.csv").config.task
    assert config.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()[:16]
    assert cell("made.csv", "task.test_path=other.csv").config.task.test_sha256
    stored = f"task.sha256={config.sha256}"
    file.write_text(ROWS.replace("GOOD", "fine"))
    changed = rf"^task.path=made.csv: not the file of task.sha256={config.sha256}: its hash is"
    with pytest.raises(InputError, match=changed):
        sentences.load(config, torch.Generator())
    file.unlink()
    assert compose(*base, "task.path=made.csv", stored).task == config  # a log needs no file
    with pytest.raises(InputError, match=r"^task.path=made.csv: no such file"):
        sentences.load(config, torch.Generator())


def test_the_sentences_that_ship() -> None:
    task = loaded(train_size=1000, pieces="words", vocabulary=4000)
    assert (len(task.inputs), task.classes) == (10_566, 2)
    assert np.bincount(task.labels).tolist() == [5325, 5241]
    assert 400 < task.labels[:1000].sum() < 600  # mixed
    assert task.vocabulary == 4000
    file = files("grokpipe.tasks") / "data" / sentences.SHIPPED
    texts = pd.read_parquet(file)["text"]  # as examples/sentences.py leaves them
    assert texts.is_unique
    assert texts.map(lambda text: hashlib.sha256(text.encode()).hexdigest()).is_monotonic_increasing


WRONG = {
    "task.path=none.csv: no such file": {"path": "none.csv"},
    "task.path=made.csv: row 3 has no text; fill it in": {"rows": ROWS.replace("A good", "\nA", 1)},
    "task.path=made.csv: row 2 has no label; fill": {"rows": ROWS.replace('!",bad', '!",')},
    "task.path=made.csv: row 1 has no text": {"rows": ROWS.replace("The film is GOOD", "  ")},
    "task.path=made.csv: all 5 rows have label x; must be ≥ 2 classes": {
        "rows": re.sub(r",(good|bad)\n", ",x\n", ROWS)
    },
    "task.path=made.csv: has no sentences": {"rows": "text,label\n"},
    "task.path=made.csv: the first 1 rows, which train, all have label good; mix": {
        "train_size": 1
    },
    "train_size=5: must be ≤ 4, the rows of task.path=made.csv, which leave": {"train_size": 5},
    "task.test_size=3: must be ≤ 2, the rows that task.path=made.csv has for it": {"test_size": 3},
    "task.path=made.csv: 30 different labels in 30 rows; must be classes": {
        "rows": "text,label\n" + "".join(f"a,{i}\n" for i in range(30))
    },
    "task.test_path=test.csv: row 2 has label so, which the training file lacks; valid: bad": {
        "test_path": "test.csv"
    },
    "task.test_sha256=a: has no effect with task.test_path=null": {"test_sha256": "a"},
    "task.format=trec: needs the file as task.path": {"format": "trec", "path": None},
    "task.label=y: has no effect with task.format=trec; set task.label=null": {
        "format": "trec", "label": "y",
    },
}  # fmt: skip


@pytest.mark.parametrize("line", WRONG)
def test_wrong_input_is_one_line(file: Path, line: str) -> None:
    changes = {"path": "made.csv"} | WRONG[line]
    file.write_text(changes.pop("rows", ROWS))
    Path("test.csv").write_text("text,label\na,good\nb,so\n")
    with pytest.raises(InputError) as refusal:
        sentences.load(sentences.resolved(sentences.Config(**PLAIN | changes)), torch.Generator())
    assert str(refusal.value).startswith(line)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("chosen", "line"),
    [
        (["task=mnist", "arch=text_transformer"], "arch=text_transformer: takes sentences: seq"),
        (
            ["task=sentences", "task.path=made.csv", "train_size=3", "arch=transformer"],
            "arch=transformer: takes pairs of tokens, so no",
        ),
    ],
)
def test_text_into_another_network_and_the_reverse(file: Path, compose, chosen, line) -> None:
    with pytest.raises(InputError) as refusal:
        Cell.of(compose(*chosen))
    assert str(refusal.value).startswith(line) and "text_transformer" in str(refusal.value)
