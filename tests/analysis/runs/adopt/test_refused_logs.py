"""Logs, maps and files that do not fit are refused in one line; code that they hold is not run."""

import json
from pathlib import Path

import numpy as np
import pytest

from grokpipe.errors import InputError
from grokpipe.store.event_files import EventFile
from tests.helpers.adopted import adopted, written

GOOD = "seed,step,val_acc\n0,0,0.1\n0,10,0.2\n"
WRONG_TABLES = {
    "": "runs.csv: no rows",
    "seed,step,val_acc\n": "runs.csv: no rows",
    "seed,step,step\n0,0,0.1\n": "column step stands twice",
    "seed,val_acc\n0,0.1\n": "no column of steps (--map with columns: {step: …}); there are: ",
    "seed,step\n0,1\n": "no column to measure besides seed, step",
    "seed,step,val_acc\n0,0.5,0.1\n0,1,0.2\n": "step=0.5, in 1 of 2 rows: a step must be a whole",
    "seed,step,val_acc\n0,,0.1\n0,1,0.2\n": "no step, in 1 of 2 rows",
    "seed,step,val_acc\n0,-1,0.1\n": "step=-1, in 1 of 1 rows",
    "seed,step,val_acc\n0,x,0.1\n0,1,0.1\n": "step=x, in 1 of 2 rows",
    "seed,step,val_acc\n0,0,10\n0,1,95\n": "val_acc=10, in 2 of 2 rows: test_accuracy must be "
    "within [0, 1]; of per cent, --map with scale: {test_accuracy: 0.01}",
    "seed,step,val_acc\n0,0,0.1\n0,0,0.2\n": "step 0: stands twice, with test_accuracy 0.1 and "
    "0.2; valid: once; nothing tells its runs apart: name a run, a seed or more configuration",
    "run,step,val_acc\na,0,0.1\na,0,0.2\n": "run a, step 0: stands twice, with test_accuracy 0.1",
    "run,step,val_acc\na,0,0.1\n,0,0.2\n": "no run, in 1 rows: must name a run",
    "seed,step,val_acc\nx,0,0.1\n": "run runs: seed=x: must be a whole number",
    "seed,step,val_acc,status\n0,0,0.1,lost\n": "state=lost: must be one of running,",
    "seed,step,val_acc,max_steps\n0,7,0.1,5\n": "steps=5: the run has evaluations after it",
    "seed,step,val_acc,num_classes\n0,7,0.1,1\n": "classes=1: must be a whole number ≥ 2",
    "seed,step,val_acc,val/acc\n0,7,0.1,1\n": "val_acc, val/acc: which of them is test_accuracy?",
    "seed,step,val_acc\n0,7,nan\n": "no column to measure besides seed, step, val_acc",
    'seed,step\n0,1,2,3\n"': "not readable as a table",
}  # fmt: skip


@pytest.mark.parametrize("text", WRONG_TABLES)
def test_wrong_tables_are_refused_in_one_line(text: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        adopted(written(tmp_path, text))
    assert WRONG_TABLES[text] in str(refused.value)
    assert "\n" not in str(refused.value)


WRONG_MAPS = {
    "columns: {test_accuracy: val_accc}": "test_accuracy: {path}: no column val_accc (did you mean "
    "val_acc?); valid: seed, step, val_acc",
    "configuration: {weight_decay: wd}": "weight_decay: {path}: no column wd; valid: seed, step, ",
    "ignore: [x]": "ignore: {path}: no column x; valid: ",
    "colums: {a: b}": "no key colums (did you mean columns?); valid: columns, configuration, fixed",
    "columns: [a]": "columns: must be a map, such as {{test_accuracy: val/acc}}",
    "columns: {a: ": "not readable as YAML",
    "- a": "must be a map with columns, configuration",
    "scale: {test_acc: 0.01}": "scale: there is no test_acc (did you mean test_accuracy?); valid: ",
    "scale: {test_accuracy: many}": "scale: test_accuracy: many: must be like",
    "fixed: {key: a}": "fixed: key: is no configuration; columns: {{key: …}}",
    "fixed: {state: won}": "state: won: must be one of running, interrupted, done",
    "fixed: {seed: 1}\ncolumns: {seed: seed}": "seed: in columns and in fixed",
    "fixed: {seed: 1}\nconfiguration: {seed: seed}": "seed: in configuration and in fixed",
    "columns: {classes: val_acc}": "columns: classes: belongs in configuration",
    "name: 'wd(?P<x>'": "name: wd(?P<x>: ",
    "name: 'wd([0-9])'": "name: wd([0-9]): has no named group",
    "name: 'wd(?P<wd>[0-9])'": "name: wd(?P<wd>[0-9]): does not match the run runs",
    "runs: {b: {seed: 1}}": "runs: there is no run b; valid: runs",
}


@pytest.mark.parametrize("text", WRONG_MAPS)
def test_wrong_maps_are_refused_in_one_line(text: str, tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    with pytest.raises(InputError) as refused:
        adopted(path, text)
    assert WRONG_MAPS[text].format(path=path) in str(refused.value)
    assert "\n" not in str(refused.value)


def pickled(folder: Path) -> Path:
    class Boom:
        def __reduce__(self):
            return (Path.touch, (folder / "ran",))

    values = np.array([Boom(), 1], dtype=object)
    np.savez(folder / "runs.npz", step=np.arange(2), loss=values)
    return folder / "runs.npz"


def archive(**arrays: object):
    def write(folder: Path) -> Path:
        np.savez(folder / "runs.npz", **arrays)
        return folder / "runs.npz"

    return write


def two_files(folder: Path) -> Path:
    (folder / "two").mkdir()
    written(folder / "two", GOOD, "a.csv")
    written(folder / "two", GOOD.replace("10,", "15,"), "b.csv")
    return folder / "two"


def no_scalars(folder: Path) -> Path:
    EventFile(folder / "tb", {"lr": 0.1}).rewrite([])
    return folder / "tb"


def lines_of(*texts: str):
    return lambda folder: written(folder, "\n".join(texts) + "\n", "runs.jsonl")


ROW = json.dumps({"seed": 0, "step": 1, "val_acc": 0.1})
WRONG_FILES = {
    "pickle": (pickled, "runs.npz: holds pickled objects, which are never loaded"),
    "shape": (
        archive(step=np.arange(3), loss=np.zeros((2, 4))),
        "loss has shape (2, 4); must be (seeds, evaluations) = (2, 3)",
    ),
    "no steps": (archive(loss=np.zeros((2, 4))), "no array of steps (columns: {step: …}); there "),
    "steps of two dimensions": (
        archive(step=np.zeros((2, 2)), loss=np.zeros((2, 2))),
        "step has shape (2, 2); must be (evaluations,)",
    ),
    "no archive": (lambda f: written(f, "x", "runs.npz"), "not readable as a NumPy archive"),
    "no parquet": (lambda f: written(f, "x", "runs.parquet"), "not readable as parquet"),
    "broken line": (lines_of(ROW, '{"step": 2', ROW), "runs.jsonl, line 2: "),
    "no object": (lines_of(ROW, "12"), "runs.jsonl, line 2: not an object: 12"),
    "no line": (lines_of(""), "runs.jsonl: no rows"),
    "two files": (two_files, "both have a run with seed=0, and no column tells them apart"),
    "no scalars": (no_scalars, "tb: no scalars in its event files"),
    "format": (lambda f: written(f, "x", "runs.xlsx"), "runs.xlsx: unknown format; valid: .csv, "),
    "empty folder": (lambda f: f, "no file of a known format; valid: .csv"),
    "nothing": (lambda f: f / "none*.csv", "none*.csv: no such folder or file"),
}


@pytest.mark.parametrize("case", WRONG_FILES)
def test_wrong_files_are_refused_in_one_line(case: str, tmp_path: Path) -> None:
    write, said = WRONG_FILES[case]
    with pytest.raises(InputError) as refused:
        adopted(write(tmp_path))
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "ran").exists()


def test_the_pickle_of_that_test_runs_code_where_it_is_loaded(tmp_path: Path) -> None:
    with np.load(pickled(tmp_path), allow_pickle=True) as archive:
        _ = archive["loss"]
    assert (tmp_path / "ran").exists()
