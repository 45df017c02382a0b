"""The page about all papers: counts, links, and papers that are not judged yet."""

from dataclasses import replace
from pathlib import Path

import pytest

from analysis.__main__ import main
from analysis.claims import reading
from analysis.claims.judge import VERDICTS
from tests.helpers import made_report, toy_paper
from tests.helpers.page import Page


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Runs of the made-up paper, and of no other."""
    made_report.stored(tmp_path).rename(tmp_path / "entropy")
    without = replace(reading.read("flatness"), claims=())
    papers = {"entropy": toy_paper.read(), "flatness": without}
    monkeypatch.setattr(reading, "names", lambda: list(papers))
    monkeypatch.setattr(reading, "read", papers.get)
    return tmp_path


def report(*arguments: str) -> int:
    return main(["report", *arguments])


def test_all_papers_have_their_report_and_a_place_in_the_index(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    to = tmp_path / "there"
    assert report("--runs", str(folder), "--to", str(to)) == 0
    assert not (folder / "index.md").exists()
    printed = capsys.readouterr().out
    assert "entropy: " in printed and "  3 reproduced" in printed
    assert "flatness: not judged yet: no claim of flatness has a rule yet" in printed
    page = Page((to / "index.html").read_text())
    assert page.all("data-paper") == ["entropy", "flatness"]
    counts = {of["data-verdict"]: of["data-count"] for _, of in page.elements if "data-count" in of}
    assert counts == {
        "reproduced": "3", "not reproduced": "1", "inconclusive": "1", "used for calibration": "1",
        "not run": "1",
    }  # fmt: skip
    assert "3 runs of 1 experiment; 2 of 3 figures drawn" in page.said
    assert "what generalisation needs." in page.said
    for verdict in VERDICTS:
        assert verdict in page.said
    of_report = Page((to / "entropy/report/report.html").read_text())
    for link in page.all("href"):
        path, _, anchor = link.partition("#")
        if link.startswith("#"):
            assert anchor in page.all("id")
        elif not link.startswith("data:"):
            assert (to / path).exists(), link
            assert not anchor or anchor in of_report.all("id")
    text = (to / "index.md").read_text()  # says the same
    assert "| 7 | 3 | 1 | 1 | 0 | 1 | 1 |\n" in text
    assert "| – | – | – | – | – | – | – |\n" in text
    assert "[A-time](entropy/report/report.md#claim-A-time)" in text
    assert "Not judged yet: no claim of flatness has a rule yet" in text
    assert "\n\n\n" not in text


def test_what_is_wrong_is_one_line(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    for arguments, said in (
        (["--runs", str(tmp_path / "nowhere")], "nowhere: no such folder"),
        (["--runs", str(tmp_path / "empty")], "no runs of any paper (empty/entropy: no such"),
        (["flatness"], "no claim of flatness has a rule yet"),
        (["--where", "lr=0.1"], "--where lr=0.1: chooses runs of one paper; name it"),
    ):
        assert report(*arguments) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert said in error.replace(str(tmp_path) + "/", "")


def test_a_paper_that_fails_stops_no_other(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "entropy/e1_baseline/curves.parquet").write_bytes(b"torn")
    assert report("--runs", str(folder)) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: entropy: ") and "curves.parquet" in error
    text = (folder / "index.md").read_text()
    assert "Not judged yet: " in text and "curves.parquet" in text
