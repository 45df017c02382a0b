"""Packs from the command: grouped by shape, halved when they fail, fixed once they have begun."""

import json
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import torch

from tests.helpers.cli import ENVIRONMENT, ROOT, SERIAL, TINY, TOKENS, grokpipe
from tests.helpers.training import same


def packs(folder: Path) -> list[dict]:
    return [json.loads(path.read_text()) for path in (folder / "packs").glob("*.json")]


def logs(folder: Path) -> dict[str, Path]:
    return {path.name: path for path in (folder / "cells").iterdir()}


def states(folder: Path) -> dict[str, str]:
    return {
        key: json.loads((log / "result.json").read_text())["state"]
        for key, log in logs(folder).items()
    }


def test_cells_of_one_shape_share_packs_of_the_width_asked_for(tmp_path: Path) -> None:
    ran = grokpipe(
        "-m", SERIAL, *TOKENS, "weight_decay=1,0.1", "seed=range(3)", "arch.width=8,12",
        "pack.width=4", cwd=tmp_path,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    folder = tmp_path / "outputs/default"
    assert sorted(pack["width"] for pack in packs(folder)) == [3, 3, 3, 3]  # six of each shape
    widths = []
    for key, log in logs(folder).items():
        provenance = json.loads((log / "provenance.json").read_text())
        (own,) = (pack for pack in packs(folder) if key in pack["keys"])
        assert provenance["width"] == own["width"] == len(own["keys"])
        widths.append(provenance["width"])
    assert len(widths) == 12
    assert set(states(folder).values()) == {"done"}


def test_the_width_changes_no_draw_and_no_result_beyond_rounding(tmp_path: Path) -> None:
    for width in (1, 3):
        ran = grokpipe(
            "-m",
            SERIAL,
            *TOKENS,
            "seed=range(3)",
            f"pack.width={width}",
            f"name=w{width}",
            cwd=tmp_path,
        )
        assert ran.returncode == 0, ran.stderr
    one, three = (logs(tmp_path / f"outputs/w{width}") for width in (1, 3))
    assert one.keys() == three.keys()
    for key in one:
        a, b = (pd.read_parquet(found[key] / "curves.parquet") for found in (one, three))
        pd.testing.assert_frame_equal(a.head(1), b.head(1), check_exact=True)
        pd.testing.assert_frame_equal(
            a[["train_loss", "weight_norm"]], b[["train_loss", "weight_norm"]], rtol=1e-4
        )
        batches = [
            torch.load(found[key] / "final.pt", weights_only=True)["batches"]
            for found in (one, three)
        ]
        assert same(*batches)


def start(cwd: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "grokpipe", "-m", SERIAL, *arguments],
        cwd=cwd, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


LONG = (*TOKENS, "seed=range(3)", "checkpoint.every=0.05", "threads=1", "steps=1500")


@pytest.mark.slow
def test_a_killed_pack_goes_on_as_the_same_pack_to_the_bit(tmp_path: Path) -> None:
    whole = grokpipe("-m", SERIAL, *LONG, "name=whole", cwd=tmp_path)
    assert whole.returncode == 0, whole.stderr
    process = start(tmp_path, *LONG, "name=parts")
    folder = tmp_path / "outputs/parts"
    end = time.monotonic() + 120
    while not list(folder.glob("packs/*.pt")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.01)
    process.kill()
    process.communicate()
    # asked for one of its cells and with another width: it is still the pack that had begun
    ran = grokpipe("-m", SERIAL, *LONG[:-4], *LONG[-3:], "seed=1", "name=parts", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert len(packs(folder)) == 1
    ours, theirs = logs(folder), logs(tmp_path / "outputs/whole")
    assert ours.keys() == theirs.keys()
    for key, log in ours.items():
        for name in ("curves.parquet", "result.json"):
            assert (log / name).read_bytes() == (theirs[key] / name).read_bytes()


@pytest.mark.slow(seconds=50)
def test_a_pack_that_does_not_fit_memory_is_halved(tmp_path: Path) -> None:
    """A real limit on the process's address space: enough for four cells, and one to spare."""
    command = (
        "task=mod_add", "task.p=31", "arch.feedforward=4096", "batch_size=3072", "steps=3",
        "eval.every=1", "measures.names=[weights]", "threads=1", "compile=off", "save.final=false",
    )  # fmt: skip

    def run(code: str, *arguments: str, limit: int = resource.RLIM_INFINITY):
        return subprocess.run(
            [sys.executable, "-c", f"import sys; from grokpipe.__main__ import main; {code}",
             *arguments, *command],
            cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=300,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
        )  # fmt: skip

    peak = (
        "assert main() == 0; print(open('/proc/self/status').read().split('VmPeak:')[1].split()[0])"
    )
    one = 1024 * int(run(peak, "name=one").stdout.splitlines()[-1])
    three = run(peak, "-m", SERIAL, "seed=range(3)", "pack.width=3", "name=three")
    each = (1024 * int(three.stdout.splitlines()[-1]) - one) // 2
    assert each > 1e8, "too little for a sure test"
    sweep = ("-m", SERIAL, "seed=range(8)", "pack.width=8")
    ran = run("sys.exit(main())", *sweep, limit=one + 4 * each)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "does not fit memory; splitting the pack of 8 in two" in ran.stdout
    folder = tmp_path / "outputs/default"
    assert set(states(folder).values()) == {"done"}
    assert len(states(folder)) == 8
    assert {pack["width"] for pack in packs(folder)} <= {1, 2, 4}


@pytest.mark.slow
def test_stopped_and_resumed_with_a_polite_signal(tmp_path: Path) -> None:
    process = start(tmp_path, *LONG)
    while not list((tmp_path / "outputs/default").glob("packs/*.pt")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert told.count("\n") == 1 and "same command" in told
    assert grokpipe("-m", SERIAL, *LONG, cwd=tmp_path).returncode == 0
    assert set(states(tmp_path / "outputs/default").values()) == {"done"}


@pytest.mark.parametrize("name", ["cuda:99", "tpu"])
def test_a_device_that_is_not_there_is_refused(tmp_path: Path, name: str) -> None:
    ran = grokpipe(*TINY, f"device={name}", cwd=tmp_path)
    assert ran.returncode == 2
    assert ran.stderr.startswith(f"error: device={name}: not on this machine; valid: auto, cpu")
    assert ran.stderr.count("\n") == 1
    assert not list(tmp_path.rglob("cells"))


def test_what_raises_in_the_first_step_is_refused_in_one_line(tmp_path: Path) -> None:
    """An architecture of one's own with a fault in its forward pass: it is seen where the memory of
    a pack is estimated."""
    import shutil

    for package in ("grokpipe", "analysis", "hydra_plugins", "conf"):
        shutil.copytree(ROOT / package, tmp_path / package)
    source = (tmp_path / "grokpipe/archs/mlp.py").read_text()
    faulty = source.replace("return self.head(z), z", "return self.head(z[:, 1:]), z")
    assert faulty != source
    (tmp_path / "grokpipe/archs/mlp.py").write_text(faulty)
    ran = grokpipe("-m", SERIAL, *TINY, "seed=0,1", cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert ran.returncode == 2
    assert "arch=mlp: RuntimeError: mat1 and mat2 shapes" in ran.stderr
    assert "(mlp.py, line " in ran.stderr
    assert ran.stderr.count("\n") == 1
    assert not (tmp_path / "outputs").exists()


def asked(folder: Path) -> pd.DataFrame:
    return pd.concat(pd.read_parquet(part) for part in (folder / "asked").glob("*.parquet"))


def test_a_baseline_of_the_same_sweep_is_trained_first(tmp_path: Path) -> None:
    """The cells that follow it are fixed once it has finished, and hold its mean norm."""
    arms = ("intervention=norm_match,none", "seed=range(10)")
    ran = grokpipe("-m", SERIAL, *TOKENS, *arms, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    folder = tmp_path / "outputs/default"
    rows = asked(folder).set_index("key")
    norms = {key: pd.read_parquet(log / "curves.parquet") for key, log in logs(folder).items()}
    followers = rows.index[rows["intervention.name"] == "norm_match"]
    free = rows.index[rows["intervention.name"] == "none"]
    assert len(followers) == len(free) == 10
    mean = pd.concat(norms[key] for key in free).groupby("step")["weight_norm"].mean()
    for key in followers:
        found = norms[key].set_index("step")["weight_norm"]
        assert ((found / mean - 1).abs()[1:] < 1e-6).all()  # step 0 is before the first update
    first, last = (
        ran.stdout.index(f"10/10 intervention={n} seed=9: done") for n in ("none", "norm_match")
    )
    assert first < last

    again = grokpipe("-m", SERIAL, *TOKENS, *arms, cwd=tmp_path)
    assert again.returncode == 0 and "20 of 20 cells are done already" in again.stdout
    assert len(logs(folder)) == 20


def test_without_its_baseline_an_arm_refuses_before_anything_runs(tmp_path: Path) -> None:
    command = ("-m", SERIAL, *TOKENS, "seed=0", "intervention=mixing,mixing_norm_match")
    ran = grokpipe(*command, cwd=tmp_path)
    assert ran.returncode == 2 and ran.stderr.count("\n") == 1
    for part in ("intervention=mixing_norm_match", "outputs/default", "seeds 0, 1", "=none first"):
        assert part in ran.stderr
    assert not [*tmp_path.glob("outputs/default/*/*")]


def test_an_arm_whose_baseline_diverged_is_refused_after_it(tmp_path: Path) -> None:
    """What can be trained is; the exit code and a line tell of the rest."""
    ran = grokpipe(
        "-m", SERIAL, *TOKENS, "lr=1e30", "seed=range(10)", "intervention=none,norm_match",
        cwd=tmp_path,
    )  # fmt: skip
    assert ran.returncode == 2
    assert "its baseline did not finish: seeds 0, 1" in ran.stderr
    assert set(states(tmp_path / "outputs/default").values()) == {"diverged"}
