"""Readers of files of sentences: a small file made in each format, and wrong ones."""

from pathlib import Path

import pandas as pd
import pytest

from grokpipe.errors import InputError
from grokpipe.tasks._sentences import ag_news, sst2, table, trec
from grokpipe.tasks._sentences.source import Rows, Source, digest

SENTENCES = ['He said "fine", twice.', "Ça va, très bien!", "None", "1"]


def source(path: Path, contents: str | bytes, **options: str) -> Source:
    path.write_bytes(contents if isinstance(contents, bytes) else contents.encode())
    return Source(path, f"task.path={path.name}", **options)


@pytest.mark.parametrize("ending", ["csv", "tsv"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
def test_delimited_tables(tmp_path: Path, ending: str, encoding: str) -> None:
    """As pandas writes them: with quotes where they are needed, in any order of columns."""
    path = tmp_path / f"made.{ending}"
    made = pd.DataFrame({"id": range(4), "label": ["b", "a", "NA", "b"], "text": SENTENCES})
    made.to_csv(path, sep={"csv": ",", "tsv": "\t"}[ending], encoding=encoding, index=False)
    given = None if encoding.startswith("utf-8") else encoding
    rows = table.read(Source(path, "", given))
    assert rows == Rows(SENTENCES, ["b", "a", "NA", "b"])


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ([3, 0, 3, 1], ["3", "0", "3", "1"]),
        ([True, False, False, True], ["1", "0", "0", "1"]),
        ([1.0, 2.0, None, 1.0], ["1", "2", "", "1"]),
        (pd.Categorical(["x", None, "y", "x"]), ["x", "", "y", "x"]),
    ],
)
def test_parquet(tmp_path: Path, labels, names) -> None:
    path = tmp_path / "made.parquet"
    pd.DataFrame({"words": SENTENCES, "class": labels}).to_parquet(path)
    rows = table.read(Source(path, "", text="words", label="class"))
    assert rows == Rows(SENTENCES, names)


def test_trec(tmp_path: Path) -> None:
    made = "DESC:manner How did serfdom develop ?\r\nENTY:cremat What films featured Caf\xe9 ?\r\n"
    rows = trec.read(source(tmp_path / "train_5500.label", made.encode("latin-1")))
    assert rows.texts == ["How did serfdom develop ?", "What films featured Café ?"]
    assert rows.labels == ["DESC", "ENTY"]


def test_sst2(tmp_path: Path) -> None:
    """Quotation marks, which GLUE does not escape, are text."""
    made = 'sentence\tlabel\nhide new secretions \t0\n" the film is "" bad \t1\n'
    rows = sst2.read(source(tmp_path / "train.tsv", made))
    assert rows == Rows(["hide new secretions ", '" the film is "" bad '], ["0", "1"])


def test_ag_news(tmp_path: Path) -> None:
    made = '"3","Wall St. Bears","Short-sellers, ""ultra-cynics"""\n"4","Chips","Faster."\n'
    rows = ag_news.read(source(tmp_path / "train.csv", made))
    assert rows.texts == ['Wall St. Bears Short-sellers, "ultra-cynics"', "Chips Faster."]
    assert rows.labels == ["Business", "Sci/Tech"]


def test_blank_lines_are_rows(tmp_path: Path) -> None:
    made = source(tmp_path / "made.csv", "text,label\nyes,1\n\nno\n")
    assert table.read(made) == Rows(["yes", "", "no"], ["1", "", ""])
    made = source(tmp_path / "made.label", "A:b yes\n\nA:b no\n")
    assert trec.read(made) == Rows(["yes", "", "no"], ["A", "", "A"])
    made = source(tmp_path / "made.csv", '"1","a","b"\n\n')
    assert ag_news.read(made) == Rows(["a b", ""], ["World", ""])


WRONG = [
    (table, "x.txt", "text,label\n", {}, "unknown ending .txt; valid: .csv, .tsv, .parquet, or an"),
    (table, "x", "", {}, "unknown ending (none); valid: "),
    (table, "x.csv", "", {}, "empty; must have a line for each sentence"),
    (table, "x.csv", "txt,label\na,1\n", {}, "task.text=text: no such column in "),
    (table, "x.csv", "text,kind\na,1\n", {}, "valid: text, kind"),
    (table, "x.csv", "text,label\na,1\n", {"label": "y"}, "task.label=y: no such column in "),
    (table, "x.csv", "text,label\na,b,1\nc,d,0\n", {}, "delimiter must be in quotes"),
    (table, "x.csv", "text,label\na,1\nb,c,d,0\n", {}, "line 3, saw 4; text that holds the"),
    (table, "x.csv", 'text,label\n"a,1\n', {}, "EOF inside string"),
    (table, "x.csv", b"text,label\nCaf\xe9,1\n", {}, "byte 14 (0xe9) is not utf-8; name its enc"),
    (table, "x.csv", "text,label\nCafé,1\n".encode("utf-16"), {}, "as task.encoding=utf-16"),
    (table, "x.csv", "text,label\n", {"encoding": "utf9"}, "task.encoding=utf9: no such encoding"),
    (table, "x.parquet", "text", {}, "not a Parquet file"),
    (trec, "x.label", "NUM:count How?\nHow many ?\n", {}, "line 2 begins with 'How'; must begin"),
    (sst2, "x.tsv", "index\tsentence\n0\ta\n", {}, "task.label=label: no such column in "),
    (ag_news, "x.csv", '"5","a","b"\n', {}, "row 1 has class '5'; valid: 1, 2, 3, 4"),
    (ag_news, "x.csv", '"1","a","b","c"\n', {}, "delimiter must be in quotes"),
]


@pytest.mark.parametrize(("reader", "name", "contents", "options", "line"), WRONG)
def test_a_wrong_file_is_one_line(tmp_path, reader, name, contents, options, line) -> None:
    with pytest.raises(InputError) as refusal:
        reader.read(source(tmp_path / name, contents, **options))
    assert line in str(refusal.value)
    assert str(refusal.value).startswith("task.")
    assert name in str(refusal.value) or "encoding" in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "label", "line"),
    [
        ([1, 2], [0, 1], "task.text=text: row 1 of .*x.parquet is 1; must be text$"),
        (["a", "b"], [0.5, 1], "task.label=label: 0.5; must be classes: text or whole numbers"),
        (["a", "b"], [float("inf"), 1], "task.label=label: inf; must be classes"),
        (["a", "b"], [[0], [1]], r"task.label=label: array.*must be classes"),
    ],
)
def test_wrong_types_in_a_parquet_file(tmp_path, text, label, line) -> None:
    pd.DataFrame({"text": text, "label": label}).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(InputError, match=line):
        table.read(Source(tmp_path / "x.parquet", "task.path=x"))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^task.path=x: no such file; must be a file of sent"):
        digest(tmp_path / "x", "task.path=x")
    with pytest.raises(InputError, match=r"^task.path=x: Is a directory; must be a file of sent"):
        digest(tmp_path, "task.path=x")
