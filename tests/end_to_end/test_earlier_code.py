"""Jobs that earlier code has queued, and its processes that still run, beside the present code."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from submitit.core.utils import DelayedSubmission

from tests.helpers.cli import ENVIRONMENT, ROOT
from tests.helpers.sweeps import results

EARLIER = ROOT / "tests/helpers/commit_0210a66"
PACK = "391feb7cf6da151f.json"


@pytest.mark.parametrize("kind", ["local", "slurm"])
def test_a_queued_job_still_trains_its_pack(kind, tmp_path: Path, monkeypatch, capsys) -> None:
    folder = tmp_path / "outputs/default"
    for name in ("packs", "workers"):
        (folder / name).mkdir(parents=True)
    shutil.copy(EARLIER / PACK, folder / "packs")
    monkeypatch.chdir(tmp_path)  # the paths in the pickles are relative
    DelayedSubmission.load(EARLIER / f"{kind}_job.pkl").result()
    keys = json.loads((EARLIER / PACK).read_text())["keys"]
    assert {key: result["state"] for key, result in results(folder).items()} == dict.fromkeys(
        keys, "done"
    )
    for key in keys:
        assert pd.read_parquet(folder / f"cells/{key}/curves.parquet")["step"].tolist() == [0, 2, 4]
    assert not list((folder / "workers").iterdir())
    assert [path.name for path in (folder / "packs").iterdir()] == [PACK]


HOLD = """
import sys, time
from pathlib import Path
with held(Path(sys.argv[1]), mark="here") as lease:
    print("held by another" if lease is None else f"{lease.deaths} deaths", flush=True)
    time.sleep(1000)
"""
LEASES = {
    "earlier": "from claims import claimed as held",
    "present": "from grokpipe.store.lease import held",
}
KEYS = {
    "host", "boot", "processes", "pid", "started", "job", "restart", "memory_kills", "token",
    "mark", "deaths",
}  # fmt: skip


@pytest.mark.parametrize(("first", "second"), [("earlier", "present"), ("present", "earlier")])
def test_processes_of_both_respect_each_others_leases(first, second, tmp_path: Path) -> None:
    """A living holder keeps its lease; one that crashed loses it, and its death is counted."""
    shutil.copy(EARLIER / "claims.py.txt", tmp_path / "claims.py")
    path = tmp_path / "x.claim"
    processes = []

    def asked(code: str) -> str:
        process = subprocess.Popen(
            [sys.executable, "-c", LEASES[code] + HOLD, str(path)],
            cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        processes.append(process)
        assert process.stdout is not None
        return process.stdout.readline().strip()

    try:
        assert asked(first) == "0 deaths"
        content = json.loads(path.read_text())
        assert content.keys() == KEYS
        assert content["pid"] == processes[0].pid
        assert asked(second) == "held by another"
        assert json.loads(path.read_text())["token"] == content["token"]
        path.with_suffix(".crash").write_text("Fatal Python error: Segmentation fault")
        processes[0].send_signal(signal.SIGSEGV)
        processes[0].wait()
        assert asked(second) == "1 deaths"
        assert asked(first) == "held by another"
    finally:
        for process in processes:
            process.kill()
            process.communicate()
