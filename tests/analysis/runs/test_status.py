"""Status: every cell counted once, in the state it is in, with the index or without it."""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.runs.results import INDEX
from analysis.runs.status import STATES, Status, as_json, status, text
from grokpipe.errors import InputError
from grokpipe.store import lease, manifest, run_log
from grokpipe.store.run_log import RunLog
from tests.helpers.cli import ENVIRONMENT
from tests.helpers.machine import mounted
from tests.helpers.made_runs import DECAYS, SEEDS, ask, key, write_run

HOLD = """
import json, sys, time
from pathlib import Path
from grokpipe.store import lease
lease.REFRESH_EVERY = 0.01
path, progress = Path(sys.argv[1]), json.loads(sys.argv[2])
with lease.held(path) as held:
    if progress:
        held.publish(**progress)
    while progress and "progress" not in (lease.read(path) or {}):
        time.sleep(0.01)
    print(flush=True)
    time.sleep(1000)
"""


@contextmanager
def trained(folder: Path, keys: list[str], **progress: float) -> Iterator[int]:
    """A pack of these cells, and a process that holds its lease; gives its number."""
    (folder / "packs").mkdir(exist_ok=True)
    pack = folder / "packs" / f"{'-'.join(keys)[-16:]}.json"
    pack.write_text(json.dumps({"keys": keys}))
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(pack.with_suffix(".claim")), json.dumps(progress)],
        env=ENVIRONMENT, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()
    try:
        yield process.pid
    finally:
        process.kill()
        process.communicate()


def brute_force(folder: Path, alive: set[str]) -> pd.Series:
    """States by key, the slow way; `alive` are the keys of packs that are trained."""
    logs = {path.name for path in (folder / "cells").iterdir() if run_log.is_run_log(path)}
    keys = sorted(logs | set(manifest.read_asked(folder)["key"]))
    states = pd.Series({k: run_log.state(folder / "cells" / k) for k in keys})
    unfinished = states.isin(["missing", "interrupted"])
    return states.mask(unfinished & states.index.isin(alive), "running")


def test_each_cell_is_counted_in_its_state(sweep: Path) -> None:
    alive = [key(0.3, 3), key(0.3, 4), key(0.3, 5), key(0.1, 6)]  # done, two begun, one not yet
    with trained(sweep, alive), ExitStack() as killed:
        killed.enter_context(trained(sweep, [key(0.3, 6), key(0.01, 0)]))
        killed.close()  # that lease is still there, its holder is not
        assert len(list((sweep / "packs").glob("*.claim"))) == 2
        found = status(sweep, ["weight_decay"])
    expected = brute_force(sweep, set(alive))
    assert found.states == {state: (expected == state).sum() for state in STATES}
    assert found.states == {
        "missing": 8, "running": 3, "interrupted": 5, "done": 6, "diverged": 3, "failed": 1,
    }  # fmt: skip
    assert found.total == len(expected) == len(DECAYS) * SEEDS + 2
    assert found.not_asked == 2
    assert [(cell.key, cell.steps, cell.reason) for cell in found.failed] == [
        (key(0.3, 7), 400, "ValueError: seven")
    ]
    assert (sum(found.states.values()), len(found.running)) == (found.total, 1)

    decays = manifest.read_asked(sweep).groupby("key")["weight_decay"].last()
    counts = Counter((decays.get(k), state) for k, state in expected.items())
    assert [group.values["weight_decay"] for group in found.by] == [0.01, 0.1, 0.3, None]
    for group in found.by:
        value = group.values["weight_decay"]
        assert group.states == {state: counts[value, state] for state in STATES}


def test_groups_by_several_columns_and_by_one_that_only_a_part_has(sweep: Path) -> None:
    groups = status(sweep, ["weight_decay", "seed"]).by
    assert len(groups) == len(DECAYS) * SEEDS + 1
    assert all(sum(group.states.values()) == 1 for group in groups[:-1])
    losses = status(sweep, ["loss"]).by  # a cell that was asked for twice counts as the last time
    assert [(group.values["loss"], sum(group.states.values())) for group in losses] == [
        ("cross_entropy", 2 * SEEDS), (None, SEEDS + 2),
    ]  # fmt: skip


def test_rate_and_time_left(sweep: Path) -> None:
    one, other = [key(0.3, 4), key(0.3, 5)], [key(0.01, 4)]
    idle = status(sweep)
    assert (idle.rate, idle.seconds_left, idle.running) == (0, None, [])
    unfinished = 400 * (SEEDS + SEEDS // 2 + 3)  # nobody knows the budget of what was not asked for
    with trained(sweep, one, step=100, steps=400, cells=2, rate=30.0), trained(sweep, other):
        begins = status(sweep)
        with trained(sweep, [key(0.01, 5)], step=300, steps=400, cells=1, rate=20.0):
            both = status(sweep)
    assert (begins.rate, begins.seconds_left) == (30, (unfinished - 200) / 30)
    assert (both.rate, both.seconds_left) == (50, (unfinished - 500) / 50)
    host = lease.this_process()["host"]
    assert {(p.host, p.step, p.steps, p.cells, p.rate) for p in both.running} == {
        (host, 100, 400, 2, 30.0), (host, 300, 400, 1, 20.0), (host, None, None, None, None),
    }  # fmt: skip
    assert "30 seed-steps/s, " in text(begins)
    assert f"on {host}: 100/400 of 2 cells, 30 seed-steps/s" in text(begins)
    assert f"on {host}: starting" in text(begins)


def test_a_lease_without_its_pack_is_passed_over(sweep: Path) -> None:
    with trained(sweep, [key(0.3, 4)]):
        for path in (sweep / "packs").glob("*.json"):
            path.unlink()  # as planning.claim, which has none
        assert status(sweep).running == []


def same_without_index(folder: Path) -> Status:
    """The status with the index, once it is found to be that without it."""
    with_index = status(folder, ["weight_decay"])
    (folder / INDEX).unlink()
    assert status(folder, ["weight_decay"]) == with_index
    return with_index


def test_the_index_changes_nothing(sweep: Path) -> None:
    before = same_without_index(sweep)
    write_run(sweep, 5, 0.3, 100)
    done = same_without_index(sweep)
    assert done.states["done"] == before.states["done"] + 1
    write_run(sweep, 5, 0.3, 100, state="diverged")
    assert same_without_index(sweep).states["diverged"] == before.states["diverged"] + 1
    shutil.rmtree(sweep / "cells" / key(0.3, 5))
    gone = same_without_index(sweep)
    assert gone.states["missing"] == before.states["missing"] + 1
    shutil.rmtree(sweep / "cells")
    assert same_without_index(sweep).total == len(DECAYS) * SEEDS


def test_what_is_in_the_index_is_not_read_again(sweep: Path) -> None:
    before = status(sweep)
    index = (sweep / INDEX).stat().st_mtime_ns
    paths = list((sweep / "cells").glob("*/result.json"))
    for path in paths:
        stamp = path.stat().st_mtime_ns
        path.write_text("reading this would count as damage")
        os.utime(path, ns=(stamp, stamp))
    assert status(sweep) == before
    assert (sweep / INDEX).stat().st_mtime_ns == index  # nor is it written again
    os.utime(paths[0], ns=(1, 1))
    assert status(sweep).states["failed"] == before.states["failed"] + 1


@pytest.mark.parametrize("damage", ["empty", "text", "torn", "other columns"])
def test_a_damaged_index_is_made_anew(sweep: Path, damage: str) -> None:
    before = status(sweep)
    index = sweep / INDEX
    whole = index.read_bytes()
    if damage == "other columns":
        pq.write_table(pa.table({"key": ["a"], "state": ["done"]}), index)
    else:
        index.write_bytes({"empty": b"", "text": b"no table", "torn": whole[:-20]}[damage])
    assert status(sweep) == before
    assert index.read_bytes() == whole


def test_no_flipped_bit_of_the_index_is_believed(sweep: Path) -> None:
    before = status(sweep)
    index = sweep / INDEX
    whole = index.read_bytes()
    for at in range(0, len(whole), 41):
        index.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert status(sweep) == before


def test_where_the_index_cannot_be_written_there_is_none(sweep: Path) -> None:
    before = status(sweep)
    (sweep / INDEX).unlink()
    (sweep / INDEX).mkdir()  # takes no file, whoever runs the test
    assert status(sweep) == before
    assert not list(sweep.glob(".*"))


def test_a_read_only_folder(sweep: Path) -> None:
    with mounted(sweep, "--bind", str(sweep)):  # root ignores modes
        subprocess.run(["mount", "-o", "remount,ro,bind", str(sweep)], check=True)
        before = status(sweep, ["weight_decay"])
        assert not (sweep / INDEX).exists()
    assert same_without_index(sweep) == before


def test_what_is_no_run_log_is_passed_over(sweep: Path) -> None:
    before = status(sweep)
    (sweep / "cells" / "notes").mkdir()
    (sweep / "cells" / "stray.txt").write_text("")
    (sweep / "cells" / key(0.01, 1)).mkdir()  # asked for, and killed before it began
    assert status(sweep) == before
    assert status(sweep).states == {
        state: (brute_force(sweep, set()) == state).sum() for state in STATES
    }


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "3", "\x00", '{"state": "done"}', '{"state": "won", "steps": 1}',
                '{"state": "done", "steps": null, "reason": ""}'],
)  # fmt: skip
def test_a_damaged_result_is_told_as_a_failure(sweep: Path, content: str) -> None:
    (sweep / "cells" / key(0.3, 0) / run_log.RESULT).write_text(content)
    for _ in ("read", "from the index"):
        found = status(sweep)
        assert [cell.reason for cell in found.failed] == [
            "result.json is damaged", "ValueError: seven",
        ]  # fmt: skip


def test_without_anything_asked_or_without_cells(sweep: Path, tmp_path: Path) -> None:
    shutil.move(sweep / "asked", tmp_path / "asked")
    alone = status(sweep)
    assert (alone.total, alone.not_asked, alone.states["missing"]) == (17, 17, 0)
    with pytest.raises(InputError, match="--by seed: no such column; valid: none"):
        status(sweep, ["seed"])
    shutil.rmtree(sweep / "cells")
    shutil.move(tmp_path / "asked", sweep / "asked")
    assert status(sweep).states["missing"] == len(DECAYS) * SEEDS


def test_wrong_input(sweep: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere: no such folder"):
        status(tmp_path / "nowhere")
    (tmp_path / "empty" / "cells").mkdir(parents=True)
    with pytest.raises(InputError, match="empty: no cell was requested"):
        status(tmp_path / "empty")
    with pytest.raises(
        InputError, match="--by weigth_decay: no such column; nearest: weight_decay"
    ):
        status(sweep, ["weigth_decay"])
    for column in ("key", "experiment", "asked"):
        with pytest.raises(InputError, match=f"--by {column}: no such column; (valid|nearest): "):
            status(sweep, ["seed", column])
    (sweep / "asked" / "9.parquet").write_text("torn")
    with pytest.raises(InputError, match=r"asked/9\.parquet: cannot be read"):
        status(sweep)


def test_submissions_with_columns_of_different_types(tmp_path: Path) -> None:
    for i, width in enumerate((None, 3, 2.5, "auto", "[1, 2]", 3.0)):
        ask(tmp_path, [key(0.1, i)], **{"arch.width": width, "arch": i})
    groups = status(tmp_path, ["arch.width"]).by
    assert [(group.values["arch.width"], group.states["missing"]) for group in groups] == [
        (2.5, 1), (3, 2), ("[1, 2]", 1), ("auto", 1), (None, 1),
    ]  # fmt: skip


def test_a_thousand_submissions(tmp_path: Path) -> None:
    (tmp_path / "asked").mkdir()
    for i in range(1000):
        table = pa.table({"key": [key(0.1, i), key(0.3, i // 10)], "steps": [400, 400]})
        pq.write_table(table, tmp_path / "asked" / f"{i:04d}.parquet")
    assert status(tmp_path).states["missing"] == 1100


def test_json_is_strict(sweep: Path) -> None:
    odd = {"step": 1, "steps": 400, "cells": 1, "rate": float("nan")}
    with trained(sweep, [key(0.3, 4)], **odd):
        found = as_json(status(sweep, ["weight_decay"]))
    value = json.loads(found, parse_constant=pytest.fail)
    assert "\n" not in found
    assert [*value["states"]] == [*STATES]
    assert value["running"][0]["rate"] is value["seconds_left"] is None
    assert value["rate"] == 0
    assert value["failed"] == [{"key": key(0.3, 7), "steps": 400, "reason": "ValueError: seven"}]
    assert value["by"][-1]["values"] == {"weight_decay": None}
    assert value["by"][-1]["states"]["done"] == 1


def test_text(sweep: Path) -> None:
    lines = text(status(sweep, ["weight_decay"])).splitlines()
    assert lines[:5] == [
        f"{sweep}: 26 cells: 9 missing, 7 interrupted, 6 done, 3 diverged, 1 failed",
        "2 run logs that were not requested",
        "9 of the finished cells have unknown code: not recorded or not checked",
        "failed:",
        f"  {key(0.3, 7)}: ValueError: seven",
    ]
    rows = [line.split() for line in lines[5:]]
    assert rows[1] == ["weight_decay", *STATES]
    assert rows[3:] == [
        ["0.01", "5", "0", "3", "0", "0", "0"], ["0.1", "4", "0", "0", "1", "3", "0"],
        ["0.3", "0", "0", "3", "4", "0", "1"], ["null", "0", "0", "1", "1", "0", "0"],
    ]  # fmt: skip
    assert not any(line.startswith(("failed", "weight")) for line in lines[8:])


def test_text_names_the_first_failures(sweep: Path) -> None:
    for seed in range(100, 123):
        RunLog(write_run(sweep, seed, 0.1, 100, state=None)).fail("x" * 1000, "")
    lines = text(status(sweep)).splitlines()
    assert lines[-1] == "  and 14 more"
    assert len(lines[-2]) < 250
    assert len(status(sweep).failed) == 24


def test_neither_torch_nor_figures_are_imported() -> None:
    code = (
        "import sys, analysis.runs.status; print({'torch', 'matplotlib', 'scipy'} & {*sys.modules})"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], env=ENVIRONMENT, capture_output=True, text=True, check=True
    )
    assert ran.stdout == "set()\n"
