"""Every command on tables that are wrong: exit code 2 and one line that names what is wrong."""

from pathlib import Path

import pytest

from analysis.__main__ import main
from tests.helpers.broken_tables import BROKEN
from tests.helpers.foreign_tables import write

COMMANDS = {
    "timescales": ["timescales", "{0}"],
    "compare": ["compare", "{0}", "--event", "t_grok", "--by", "weight_decay", "--baseline", "0.1"],
    "fit": ["fit", "{0}", "--event", "t_grok"],
    "figures": ["figures", "{0}"],
    "forecast": ["forecast", "{0}", "--predictor", "test_accuracy"],
    "synchrony": ["synchrony", "{0}", "--first", "test_accuracy"],
    "gather": ["gather", "{0}", "--to", "{1}/gathered"],
    "restore": ["restore", "{0}", "{1}/logs"],
    "report": ["report", "entropy", "--runs", "{1}"],
}
"""{0}: the tables, {1}: the folder that they are in"""


def said(command: str, folder: Path, capsys) -> tuple[int, str]:
    """The exit code, and what the command printed on stderr but for notes."""
    code = main([text.format(folder, folder.parent) for text in COMMANDS[command]])
    lines = capsys.readouterr().err.splitlines()
    return code, "\n".join(line for line in lines if not line.startswith("note: "))


@pytest.mark.parametrize("way", BROKEN)
@pytest.mark.parametrize("command", COMMANDS)
def test_one_line_names_what_is_wrong(command: str, way: str, tmp_path: Path, capsys) -> None:
    broken = BROKEN[way]
    folder = write(tmp_path / "e1_baseline", broken.cells, broken.curves)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    code, line = said(command, folder, capsys)
    assert code == 2, line
    assert line.startswith("error: ") and "\n" not in line
    assert [word for word in broken.words if word not in line] == []
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert kept == before  # nothing was written


COLUMNS_OF_EVENTS = ("timescales", "compare", "fit", "forecast")


@pytest.mark.parametrize("column", ["seed", "steps"])
@pytest.mark.parametrize("command", COLUMNS_OF_EVENTS)
def test_times_to_events_need_their_columns(
    command: str, column: str, tmp_path: Path, capsys
) -> None:
    folder = write(tmp_path / "t", lambda cells: cells.drop(columns=column))
    code, line = said(command, folder, capsys)
    assert (code, "\n" in line) == (2, False)
    assert f"cells.parquet: no column {column}, needed for times to events; there are" in line


@pytest.mark.parametrize("name", ["cells.parquet", "curves.parquet"])
@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "report"])
def test_a_damaged_file_is_named(command: str, name: str, tmp_path: Path, capsys) -> None:
    folder = write(tmp_path / "t")
    (folder / name).write_bytes((folder / name).read_bytes()[:100])
    code, line = said(command, folder, capsys)
    assert (code, "\n" in line) == (2, False)
    assert f"{name}: not readable as parquet" in line


@pytest.mark.parametrize("command", [*COMMANDS][:7])
def test_tables_that_are_right_are_not_refused(command: str, tmp_path: Path, capsys) -> None:
    code, line = said(command, write(tmp_path / "t"), capsys)
    assert code == 0 or "nothing" in line, line
