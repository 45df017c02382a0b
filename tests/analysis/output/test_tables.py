"""Tables as text and files."""

from pathlib import Path

import pandas as pd

from analysis.output import tables
from tests.helpers.made_curves import made

TABLE = pd.DataFrame({"arm": ["τ", None], "n": [3, 4], "time": [1234567.0, float("nan")]})


def test_words_to_the_left_numbers_to_the_right_and_a_dash_for_none() -> None:
    lines = tables.table_text(TABLE).splitlines()
    assert [line.split() for line in lines] == [
        ["arm", "n", "time"], ["---", "-", "-----------"],
        ["τ", "3", "1.23457e+06"], ["–", "4", "–"],
    ]  # fmt: skip
    assert lines[2].startswith("τ") and lines[2].endswith("06") and lines[3].endswith("–")


def test_latex_has_commands_for_signs() -> None:
    text = tables.formatted(pd.DataFrame({"x": ["−5 ± 1", "> ∞", "τ²_a"]}), "latex_booktabs")
    for part in (r"$-$5 $\pm$ 1", r"\ensuremath{>} $\infty$", r"$\tau$$^2$\_a", r"\toprule"):
        assert part in text
    assert not set(tables.TEX) & set(text)


def test_files_of_a_table(tmp_path: Path) -> None:
    shown = made({"test_accuracy": [0.1, 0.9]})
    readable = TABLE.assign(n=["3/3", "4/4"])
    paths = tables.write_table(shown, tmp_path / "tables", "x", TABLE, readable)
    assert [path.name for path in paths] == ["x.csv", "x.md", "x.tex"]
    pd.testing.assert_frame_equal(pd.read_csv(paths[0]).fillna(0), TABLE.fillna(0))
    assert "| 3/3" in paths[1].read_text().replace("   ", " ")
    assert paths[2].read_text().endswith("\\end{tabular}\n")
    assert (tmp_path / "tables/x.why.json").exists()
    (only,) = tables.write_table(shown, tmp_path / "exact", "x", TABLE)
    assert only.read_text() == paths[0].read_text()
