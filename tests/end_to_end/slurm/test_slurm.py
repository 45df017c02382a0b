"""Sweeps on a real SLURM (cluster.sh), with what happens to jobs there. What is left is held, to
the byte, to what an undisturbed sweep in one process leaves."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers import packages
from tests.helpers.cli import ENVIRONMENT, SERIAL, grokpipe
from tests.helpers.sweeps import assert_same_tables, results, start, wait_for

pytestmark = pytest.mark.slurm

HERE = Path(__file__).parent
GRID = (
    "train_size=64", "batch_size=16", "arch.width=12", "threads=1", "pack.width=2", "seed=range(4)",
    "eval={schedule: regular, every: 1000}", "measures.names=[weights]", "checkpoint.every=0.3",
)  # fmt: skip
LONG = (*GRID, "steps=6000")
SLURM = "hydra/launcher=slurm"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    if os.geteuid() != 0:
        pytest.skip("needs root: SLURM's daemon starts jobs")
    if shutil.which("slurmctld") is None and shutil.which("apt-get") is None:
        pytest.skip("needs SLURM, or a Debian machine to install it on")
    folder = tmp_path_factory.mktemp("slurm")
    command = [str(HERE / "cluster.sh")]
    subprocess.run([*command, "up", str(folder)], check=True, timeout=300)
    before = os.environ.get("SLURM_CONF")
    os.environ["SLURM_CONF"] = str(folder / "slurm.conf")
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    try:
        yield
    finally:
        subprocess.run([*command, "down", str(folder)], check=False, timeout=120)
        if before is None:
            del os.environ["SLURM_CONF"]
        else:
            os.environ["SLURM_CONF"] = before


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed")
    ran = grokpipe("-m", SERIAL, *LONG, cwd=folder)
    assert ran.returncode == 0, ran.stderr
    return folder / "outputs/default"


def environment() -> dict[str, str]:
    return {name: os.environ[name] for name in ("SLURM_CONF", "PATH")}


def slurm(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def sweep(cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return grokpipe("-m", SLURM, *arguments, cwd=cwd, **environment())


def launched(cwd: Path, *arguments: str) -> subprocess.Popen[str]:
    """A launcher whose two packs have both written a checkpoint."""
    launcher = start(cwd, SLURM, *arguments, **environment())
    wait_for(lambda: len(list(cwd.glob("outputs/default/packs/*.pt"))) == 2)
    return launcher


def elements(folder: Path) -> list[str]:
    """All jobs that were ever submitted for a folder."""
    return [
        job for path in (folder / "jobs").glob("*.json") for job in json.loads(path.read_text())
    ]


def shown(job: str) -> dict[str, str]:
    words = slurm("scontrol", "--oneliner", "show", "job", job).split()
    return dict(word.partition("=")[::2] for word in words)


def finished(launcher: subprocess.Popen[str], folder: Path, expected: Path) -> str:
    """What a launcher that ends well has said; its tables are as they should be."""
    out, err = launcher.communicate(timeout=400)
    assert launcher.returncode == 0, out + err
    assert_same_tables(folder, expected)
    return out


def test_a_grid_is_one_array_and_the_same_command_runs_nothing(
    cluster, tmp_path: Path, undisturbed: Path
) -> None:
    folder = tmp_path / "outputs/default"
    ran = sweep(tmp_path, *LONG)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert_same_tables(folder, undisturbed)
    assert len(list((folder / "jobs").glob("*.json"))) == 1
    assert [job.partition("_")[2] for job in sorted(elements(folder))] == ["0", "1"]
    again = sweep(tmp_path, *LONG)
    assert "4 of 4 cells are done already" in again.stdout
    assert len(elements(folder)) == 2


def test_the_resources_asked_for_reach_slurm(cluster, tmp_path: Path) -> None:
    ran = sweep(
        tmp_path, *GRID, "steps=50", "pack.width=1", "hydra.launcher.packs_per_job=3",
        "hydra.launcher.partition=low", "hydra.launcher.time_min=7", "hydra.launcher.cpus=2",
        "hydra.launcher.gpus=1", "hydra.launcher.memory_gb=1.5", "device=cpu",
        "hydra.launcher.setup=['echo $CUDA_VISIBLE_DEVICES > gpu']",
        "hydra.launcher.array_parallelism=1", "hydra.launcher.sbatch=['comment=ours']",
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    folder = tmp_path / "outputs/default"
    assert len(elements(folder)) == 2  # of three packs and of one
    assert (tmp_path / "gpu").read_text().strip() in ("0", "1")
    told = shown(elements(folder)[0])
    assert told["Partition"] == "low" and told["TimeLimit"] == "00:07:00"
    assert told["Comment"] == "ours" and told["NumCPUs"] == "2" and told["ArrayTaskThrottle"] == "1"
    assert told["MinMemoryNode"] == "1500M" and "gpu:1" in told["TresPerNode"]


def test_more_packs_than_an_array_may_have_are_several_arrays(cluster, tmp_path: Path) -> None:
    """The cluster allows 100 elements."""
    ran = sweep(
        tmp_path, *GRID, "seed=range(130)", "pack.width=1", "steps=10", "hydra.launcher.wait=false",
        "hydra.launcher.array_parallelism=1",
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    folder = tmp_path / "outputs/default"
    arrays = sorted((folder / "jobs").glob("*.json"))
    assert [len(json.loads(path.read_text())) for path in arrays] == [100, 30]
    slurm("scancel", *(path.stem for path in arrays))


@pytest.mark.parametrize("name", ["USR2", "USR1", "TERM"])
def test_a_signal_checkpoints_and_requeues_the_job(
    cluster, tmp_path: Path, undisturbed: Path, name: str
) -> None:
    folder = tmp_path / "outputs/default"
    launcher = launched(tmp_path, *LONG)
    job = elements(folder)[0]
    slurm("scancel", f"--signal={name}", job)
    wait_for(lambda: shown(job).get("Restarts") == "1", 60)
    out = finished(launcher, folder, undisturbed)
    assert "given up" not in out
    assert len(elements(folder)) == 2  # the same job, not a new one
    log = "".join(path.read_text() for path in (folder / "jobs").glob("*/*_log.out"))
    assert "with a checkpoint" in log and "requeue" in log


def test_a_requeue_by_the_administrator(cluster, tmp_path: Path, undisturbed: Path) -> None:
    folder = tmp_path / "outputs/default"
    launcher = launched(tmp_path, *LONG)
    slurm("scontrol", "requeue", elements(folder)[0])
    finished(launcher, folder, undisturbed)
    assert len(elements(folder)) == 2


def test_a_preemption(cluster, tmp_path: Path, undisturbed: Path) -> None:
    """Jobs of the partition `high` take all CPUs from those of `low`, which get SIGTERM."""
    folder = tmp_path / "outputs/default"
    launcher = launched(tmp_path, *LONG, "hydra.launcher.partition=low", "hydra.launcher.cpus=4")
    intruder = slurm(
        "sbatch", "--parsable", "--partition=high", "--array=0-1", "--cpus-per-task=4",
        "--output=/dev/null", "--wrap=sleep 3",
    ).strip()  # fmt: skip
    wait_for(lambda: "R" in slurm("squeue", "-h", "-r", "-j", intruder, "-o", "%t").split(), 60)
    finished(launcher, folder, undisturbed)
    assert len(elements(folder)) == 2
    assert any(shown(job)["Restarts"] != "0" for job in elements(folder))


def test_a_node_that_goes_down(cluster, tmp_path: Path, undisturbed: Path) -> None:
    folder = tmp_path / "outputs/default"
    launcher = launched(tmp_path, *LONG, "hydra.launcher.cpus=4")  # one job a node
    job = elements(folder)[0]
    node = shown(job)["NodeList"]
    try:
        slurm("scontrol", "update", f"nodename={node}", "state=down", "reason=test")
        wait_for(lambda: shown(job).get("Restarts") == "1", 60)
    finally:
        subprocess.run(["scontrol", "update", f"nodename={node}", "state=resume"], check=False)
    finished(launcher, folder, undisturbed)
    assert len(elements(folder)) == 2  # SLURM requeued it, nobody submitted it again


ASLEEP = """
    import time


    def measure(snapshot):
        time.sleep(1)
        return {"asleep/seconds": 1.0}
"""


@pytest.mark.slow
def test_a_time_limit(cluster, tmp_path: Path) -> None:
    """A minute, of a run that needs more, most of it asleep, as these tests run beside others: the
    job is told some seconds before, and goes on."""
    folder = tmp_path / "outputs/default"
    site = tmp_path / "site"
    packages.write(site, "asleep", {"asleep.py": ASLEEP}, {"measures": "asleep = asleep"})
    path = f"{ENVIRONMENT['PYTHONPATH']}{os.pathsep}{site}"
    pace = (
        "pack.width=1", "seed=0", "checkpoint.every=1000", "steps=90", "eval.every=1",
        "measures.names=[asleep]",
    )  # fmt: skip
    launcher = start(
        tmp_path, SLURM, *GRID, *pace, "hydra.launcher.time_min=1", **environment(), PYTHONPATH=path
    )
    out, err = launcher.communicate(timeout=500)
    assert launcher.returncode == 0, out + err
    assert {result["state"] for result in results(folder).values()} == {"done"}
    (job,) = elements(folder)
    assert int(shown(job)["Restarts"]) >= 1


def test_a_killed_process_is_submitted_again(cluster, tmp_path: Path, undisturbed: Path) -> None:
    folder = tmp_path / "outputs/default"
    launcher = launched(tmp_path, *LONG)
    lease_file = next(iter((folder / "packs").glob("*.claim")))
    os.kill(json.loads(lease_file.read_text())["pid"], signal.SIGKILL)
    finished(launcher, folder, undisturbed)
    assert len(elements(folder)) == 3


def test_a_user_who_cancels_is_obeyed_and_the_same_command_goes_on(
    cluster, tmp_path: Path, undisturbed: Path
) -> None:
    folder = tmp_path / "outputs/default"
    launcher = launched(tmp_path, *LONG)
    slurm("scancel", *elements(folder))
    _, told = launcher.communicate(timeout=120)
    assert launcher.returncode == 1
    assert "cancelled: mnist · seed" in told and told.count("(pack ") == 2
    assert "the same command resumes" in told
    assert len(elements(folder)) == 2
    finished(start(tmp_path, SLURM, *LONG, **environment()), folder, undisturbed)


def test_jobs_go_on_without_a_launcher_and_the_next_one_attaches(
    cluster, tmp_path: Path, undisturbed: Path
) -> None:
    folder = tmp_path / "outputs/default"
    launcher = launched(tmp_path, *LONG)
    launcher.send_signal(signal.SIGINT)
    _, told = launcher.communicate(timeout=60)
    assert launcher.returncode == 130
    assert "the jobs continue in SLURM" in told and told.count("\n") == 1
    finished(start(tmp_path, SLURM, *LONG, **environment()), folder, undisturbed)
    assert len(elements(folder)) == 2
    for path in (folder / "cells").glob("*/provenance.json"):
        assert "resumed" not in json.loads(path.read_text())


def test_without_waiting_it_returns_at_once(cluster, tmp_path: Path, undisturbed: Path) -> None:
    folder = tmp_path / "outputs/default"
    ran = sweep(tmp_path, *LONG, "hydra.launcher.wait=false")
    assert ran.returncode == 0, ran.stderr
    assert "wait=false returns no results to a sweeper" in ran.stdout
    assert len(results(folder)) == 0
    again = sweep(tmp_path, *LONG, "hydra.launcher.wait=false")  # queued or running already
    assert again.returncode == 0, again.stderr
    finished(start(tmp_path, SLURM, *LONG, **environment()), folder, undisturbed)
    assert len(elements(folder)) == 2


def test_an_arm_follows_the_baseline_of_the_same_sweep(cluster, tmp_path: Path) -> None:
    """Its jobs are submitted once the baseline's have ended: by the launcher that waits for them,
    or by the same command again. The keys are those of a sweep in one process."""
    arms = (
        *(word for word in GRID if not word.startswith("measures")), "steps=600",
        "measures.names=[weights,logits]", "intervention=none,norm_match",
        "intervention.baseline_seeds=[0,1,2,3]",
    )  # fmt: skip
    folder, alone = tmp_path / "outputs/default", tmp_path / "alone"
    alone.mkdir()
    assert grokpipe("-m", SERIAL, *arms, cwd=alone).returncode == 0
    ran = sweep(tmp_path, *arms, "hydra.launcher.wait=false")
    assert ran.returncode == 0, ran.stderr
    assert "4 more cells will follow a baseline that is not finished yet" in ran.stdout
    ran = sweep(tmp_path, *arms)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert len(elements(folder)) == 4
    assert_same_tables(folder, alone / "outputs/default")
