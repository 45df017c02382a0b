"""Parts of gathered tables: their index, and one type for each column of all of them."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.runs import parts
from grokpipe.errors import InputError


def part(folder: Path, name: str, **columns: list) -> None:
    parts.write(folder, name, (pa.table(columns), pa.table({"key": columns["key"]})))


def test_an_index_names_only_parts_that_are_there(tmp_path: Path) -> None:
    assert parts.read_index(tmp_path) == {}
    names = [parts.next_part({})]
    part(tmp_path, names[0], key=["a"])
    names.append(parts.next_part({names[0]: {}}))
    index = {name: {"a": [1, 2]} for name in names}
    parts.write_index(tmp_path, index)
    assert parts.read_index(tmp_path) == {names[0]: {"a": [1, 2]}}
    assert parts.next_part({"part-000041.parquet": {}, **index}) == "part-000042.parquet"
    path = tmp_path / parts.CELLS / parts.INDEX
    path.write_text(json.dumps({"format": parts.FORMAT - 1, "parts": index}))
    assert parts.read_index(tmp_path) == {}
    path.write_text("{")
    assert parts.read_index(tmp_path) == {}


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([1], [2.5], pa.float64()),
        ([None], [3], pa.int64()),
        ([None], [None], pa.float64()),
        ([1], ["word"], pa.string()),
        (["a"], ["b"], pa.string()),
    ],
)
def test_a_column_has_a_type_that_holds_the_values_of_all_parts(
    tmp_path: Path, first, second, expected
) -> None:
    part(tmp_path, "part-000000.parquet", key=["a"], x=first)
    part(tmp_path, "part-000001.parquet", key=["b"], x=second, y=[1.0])
    parts.write_columns(tmp_path)
    schema = pq.read_schema(tmp_path / parts.CURVES / parts.COLUMNS)
    assert schema.names == ["key", "x", "y"]
    assert schema.field("x").type == expected


def test_what_no_index_knows_goes(tmp_path: Path) -> None:
    for number in (0, 1):
        part(tmp_path, f"part-{number:06d}.parquet", key=["a"])
    parts.write_columns(tmp_path)
    parts.drop_others(tmp_path, {"part-000001.parquet"})
    for name in (parts.CURVES, parts.CELLS):
        found = {path.name for path in (tmp_path / name).iterdir()}
        assert found == {"part-000001.parquet", parts.COLUMNS}
    parts.drop_others(tmp_path, set())
    parts.write_columns(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_place_of_the_parts_is_named(tmp_path: Path) -> None:
    (tmp_path / parts.CURVES).write_text("a gathered table of one file")
    with pytest.raises(InputError, match=f"{parts.CURVES}: must be a folder of parts"):
        parts.drop_others(tmp_path, set())
