"""Commands as a user types them, in processes of their own."""

import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
TINY = ("train_size=64", "batch_size=16", "arch.width=12", "steps=40", "threads=1")
TOKENS = (
    "task=mod_add", "task.p=7", "task.fraction=0.5", "arch.width=8", "arch.heads=2",
    "arch.feedforward=8", "batch_size=8", "steps=20", "eval.every=10",
)  # fmt: skip
SERIAL = "hydra/launcher=serial"  # where processes of their own are not what is tested
TIMEOUT = 600  # seconds

# Four fifths of a short command are imports. A server makes them once, and forks for each command.
IMPORTED = [
    "torch._dynamo", "grokpipe.executors.local", "grokpipe.launch.launcher", "hydra.main",
    "analysis.figures.style", "analysis.times.timescales",
]  # fmt: skip
FORKS: Any = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(IMPORTED)


def run(arguments: list[str], cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command in `cwd` and return what it printed; never raises for its exit code."""
    return subprocess.run(
        arguments,
        cwd=cwd,
        env={**ENVIRONMENT, **variables},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )


def grokpipe(*arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """`python -m grokpipe …` in a process of its own, forked from one that has imported PyTorch.
    Where another copy of the code is to run, the process is a new one."""
    if "PYTHONPATH" in variables:
        return run([sys.executable, "-m", "grokpipe", *arguments], cwd, **variables)
    return module("grokpipe", *arguments, cwd=cwd, **variables)


def module(
    name: str, *arguments: str, cwd: Path, **variables: str
) -> subprocess.CompletedProcess[str]:
    """`python -m name …` in a forked process, as `grokpipe`."""
    environment = {**ENVIRONMENT, **variables}
    with tempfile.TemporaryDirectory() as folder:
        printed = Path(folder, "out"), Path(folder, "err")
        process = FORKS.Process(target=_run, args=(name, arguments, cwd, environment, printed))
        process.start()
        process.join(TIMEOUT)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired([name, *arguments], TIMEOUT)
        return subprocess.CompletedProcess(
            [name, *arguments], process.exitcode, *(path.read_text() for path in printed)
        )


def typed(line: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A line `python -m …` as a user types it: its words are what a shell makes of it, its process
    is forked."""
    words = 'python() { printf "%s\\0" "$@"; }; ' + line
    parted = run(["bash", "-c", words], cwd)
    assert parted.returncode == 0, f"{line}\n{parted.stderr}"
    option, name, *arguments = parted.stdout.removesuffix("\0").split("\0")
    assert option == "-m", line
    return module(name, *arguments, cwd=cwd)


def _run(  # in the forked process
    name: str, arguments: list[str], cwd: Path, environment: dict[str, str], printed: list[Path]
) -> None:
    for path, stream in zip(printed, (sys.stdout, sys.stderr)):
        with open(path, "w") as file:
            os.dup2(file.fileno(), stream.fileno())
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv[1:] = arguments
    sys.orig_argv = [sys.executable, "-m", name, *arguments]
    runpy.run_module(name, run_name="__main__", alter_sys=True)
