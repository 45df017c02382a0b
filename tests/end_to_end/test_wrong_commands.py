"""Commands that cannot be run as typed, and experiment files that cannot be read: one line each."""

from pathlib import Path

import pytest

from tests.helpers.cli import TINY
from tests.helpers.refused import experiment, refused

SLURM = "hydra/launcher=slurm"
DRY = "hydra.launcher.dry_run=true"
COMMANDS = {
    # not an override
    "seed": ("seed: not an override", "key=value"),
    "=3": ("=3: not an override",),
    "@=3": ("@=3: not an override",),
    "stop={event": ("stop={event: ", "quote"),
    "seed=range(1 -m": ("seed=range(1: ", "quote"),
    "--dry-run": ("--dry-run", "--help"),
    "--cfg jobs": ("'jobs'", "'job', 'hydra', 'all'"),
    "--cfg job foo=3": ("foo: no such key",),
    "--config-dir nowhere": ("--config-dir=nowhere: no such folder",),
    "--experimental-rerun x.pickle": ("--experimental-rerun",),
    # a value of the wrong kind
    "steps=abc": ("steps=abc", "must be a whole number"),
    "seed=1.5": ("seed=1.5", "must be a whole number"),
    "seed=": ("seed=", "must be a whole number"),
    "seed=[0,1]": ("seed=[0,1]", "must be a whole number"),
    "threads=0": ("threads=0: must be ≥ 1",),
    "threads=1000000": ("threads=1000000: must be < 1025",),
    "weight_decay=0.1,-1 -m": ("weight_decay=-1: must be ≥ 0", "cell 2 of 2: weight_decay=-1"),
    "lr=1e-3,abc -m": ("lr=abc", "must be a number", "cell 2 of 2: lr=abc"),
    "~seed": ("seed=???: needs a value",),
    "+seed=3": ("seed: is there already", "without a plus"),
    # groups
    "task=null": ("task=null: must name one choice", "mod_add"),
    "arch=3": ("arch=3: must name one choice", "transformer"),
    "task=[mnist,mod_add]": ("task=[mnist,mod_add]: must name one choice",),
    "task=": ("task=: no such choice; valid: cifar10, equations, fashion_mnist",),
    "~task": ("task=None: needs a name",),
    "nogroup=a,b -m": ("nogroup: no such key", "cell 1 of 2"),
    "experiment=": ("experiment=: no such choice; valid: collapse/cnn",),
    "experiment=demo experiment=collapse/weight_decay -m": ("one experiment at a time",),
    # a key that the composed group does not have
    "-m task=mnist,mod_add arch.depth=1": (
        "arch.depth: no such key of arch=transformer; nearest: arch.",
        "(cell 2 of 2: task=mod_add)",
    ),
    "intervention.alfa=0.3 experiment=entropy/e2_mixing": (
        "intervention.alfa: no such key of intervention=mixing; nearest: intervention.alpha",
    ),
    "intervention.alfa=0.3 task=mod_add intervention=none,mixing -m": (
        "no such key of intervention=mixing, none; nearest: intervention.alpha",
    ),
    "intervention.alpha=0.3": ("no such key of intervention=none; it has none",),
    "experiment=demo,entropy/e2_mixing arch.dpeth=3 -m": ("arch.dpeth", "arch=mlp", "arch.depth"),
    # sweeps
    "seed=0,1": ("seed=0,1: several values; add -m",),
    "seed=range(3)": ("seed=range(3): several values; add -m",),
    "seed=range(3,3) -m": ("seed=range(3,3): no values",),
    "seed=range(0,3,0) -m": ("seed=range(0,3,0): step 0",),
    "lr=range(0.1,0.3,0) -m": ("lr=range(0.1,0.3,0): step 0",),
    "lr=range(0.1,nan,0.1) -m": ("must have finite numbers",),
    "seed=range(1,a) -m": ("seed=range(1,a): ",),
    "seed=interval(0,3) -m": ("seed=interval(0,3): a grid takes lists, range, choice and glob",),
    "seed=choice() -m": ("seed=choice()", "empty"),
    "task=glob(xx*) -m": ("task=glob(xx*): no values",),
    "seed=range(1000000000) -m": ("1,000,000,000 points over seed", "at most 1,000,000"),
    "seed=range(1000) lr=range(1000) weight_decay=range(1000) -m": ("seed, lr, weight_decay",),
    "hydra.sweeper.params=3 -m": ("hydra.sweeper.params=3: ",),
    "hydra.sweeper.params=[1,2] -m": ("hydra.sweeper.params=[1,2]: ",),
    'hydra.sweeper.params={seed:"0,1"}': ("hydra.sweeper.params: a grid over seed; add -m",),
    "hydra.sweeper.params.seed=0,1 -m": ("hydra.sweeper.params.seed=0,1", "cannot be swept"),
    "hydra.sweeper.max_batch_size=0 seed=0,1 -m": ("hydra.sweeper.max_batch_size=0", "≥ 1"),
    "+hydra.sweeper.foo=3 seed=0,1 -m": ("foo",),
    "hydra/sweeper=nope seed=0,1 -m": ("hydra/sweeper=nope: no such choice; valid: basic, grid",),
    # launchers, with -m and without
    "hydra/launcher=basic": ("hydra/launcher=basic: must be local, slurm or serial",),
    "hydra/launcher=joblib": ("hydra/launcher=joblib: no such choice; valid: local",),
    "hydra/launcher=local,slurm -m": ("hydra/launcher=local,slurm", "cannot be swept"),
    "hydra.launcher=3": ("hydra.launcher=3: write hydra/launcher=…",),
    "hydra.launcher.partition=low": (
        "hydra.launcher.partition: no such key of hydra/launcher=local; nearest: hydra.launcher.",
    ),
    "hydra.launcher.processes=4 seed=0,1 -m": ("hydra.launcher.processes: no such key",),
    "+hydra.launcher.processes=4 seed=0,1 -m": ("hydra.launcher.processes: no such key",),
    "hydra.launcher.wait=maybe": ("hydra.launcher.wait=maybe", "true or false"),
    "hydra.launcher.packs_per_gpu=0": ("hydra.launcher.packs_per_gpu=0: must be ≥ 1",),
    f"{SLURM} hydra.launcher.cpus=0 {DRY}": ("hydra.launcher.cpus=0: must be ≥ 1",),
    f"{SLURM} hydra.launcher.time_min=1.5 {DRY}": (
        "hydra.launcher.time_min=1.5",
        "must be a whole number",
    ),
    f"{SLURM} hydra.launcher.memory_gb=nan {DRY}": ("hydra.launcher.memory_gb=nan", "finite"),
    f"{SLURM} hydra.launcher.setup=module {DRY}": ("hydra.launcher.setup=module",),
    f"{SLURM} hydra.launcher.setup=[{{_target_:os.getcwd}}] {DRY}": ("hydra.launcher.setup",),
    "hydra.run.dir=elsewhere": ("hydra.run.dir=elsewhere: has no effect here",),
    "+hydra.job.env_set.X=1": ("+hydra.job.env_set.X=1: has no effect here",),
    "hydra/job_logging=default": ("hydra/job_logging=default: has no effect here",),
    "hydra.mode=OFTEN": ("hydra.mode=OFTEN", "RUN, MULTIRUN"),
}  # fmt: skip


@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_wrong_command_is_one_line_and_leaves_nothing(
    tmp_path: Path, arguments: str, monkeypatch, capfd
) -> None:
    own = "task=" in arguments or "experiment=" in arguments
    base = ("steps=2",) if own else (*TINY, "steps=2")
    line = refused([*base, *arguments.split()], tmp_path, monkeypatch, capfd)
    assert all(part in line for part in COMMANDS[arguments]), line


GLOBAL = "# @package _global_\n"
FILES = {
    "no package header": ("steps: 5\n", ("experiment/mine.yaml: ", "# @package _global_")),
    "empty": ("", ("experiment/mine.yaml: ", "# @package _global_")),
    "not YAML": (f"{GLOBAL}steps: [5\n", ("mine.yaml, line 3: not YAML",)),
    "a tab": (f"{GLOBAL}\tsteps: 5\n", ("mine.yaml, line 2: not YAML",)),
    "a key twice": (f"{GLOBAL}steps: 3\nsteps: 4\n", ("mine.yaml, line 3", "duplicate key steps")),
    "not UTF-8": (f"{GLOBAL}name: \xff\xfe\n", ("mine.yaml: not UTF-8",)),
    "a list": (f"{GLOBAL}- 1\n- 2\n", ("experiment/mine.yaml: ",)),
    "a wrong type": (f"{GLOBAL}lr: fast\n", ("experiment/mine.yaml: lr: ", "'fast'")),
    "a wrong key": (f"{GLOBAL}loos: 3\n", ("experiment/mine.yaml: loos: no such key", "loss")),
    "a wrong key of a group": (f"{GLOBAL}arch: {{widht: 3}}\n", ("arch.widht", "arch.width")),
    "a wrong group": (
        f"{GLOBAL}defaults:\n  - override /tsk: mnist\n",
        ("experiment/mine.yaml: tsk: no such key; nearest: task",),
    ),
    "a wrong member": (
        f"{GLOBAL}defaults:\n  - override /task: mnits\n",
        ("task=mnits: no such choice; valid: cifar10, equations, fashion_mnist",),
    ),
    "defaults that are no list": (f"{GLOBAL}defaults: 3\n", ("experiment/mine", "list")),
    "a wrong launcher": (
        f"{GLOBAL}defaults:\n  - override /hydra/launcher: slrm\n",
        ("hydra/launcher=slrm: no such choice; valid: local, slurm, serial",),
    ),
    "a setting of another launcher": (
        f"{GLOBAL}hydra: {{launcher: {{partition: low}}}}\n",
        ("experiment/mine.yaml: hydra.launcher.partition: no such key of hydra/launcher=local",),
    ),
    "a grid over a wrong key": (
        f'{GLOBAL}hydra: {{sweeper: {{params: {{sed: "0,1"}}}}}}\n',
        ("sed: no such key", "cell 1 of 2"),
    ),
    "a grid that is no dictionary": (
        f"{GLOBAL}hydra: {{sweeper: {{params: [1, 2]}}}}\n",
        ("experiment/mine.yaml: ",),
    ),
    "a range without an end": (
        f'{GLOBAL}hydra: {{sweeper: {{params: {{seed: "range(3"}}}}}}\n',
        ("seed=range(3: ",),
    ),
    "a resolver that is not there": (f"{GLOBAL}name: ${{nope:x}}\n", ("name: ", "nope")),
    "a variable that is not set": (f"{GLOBAL}name: ${{oc.env:NOPE}}\n", ("NOPE",)),
    "an experiment that is not there": (None, ("experiment=mine: no such", "demo", "other")),
    "a search path": (f"{GLOBAL}hydra: {{searchpath: [x]}}\n", ("mine.yaml", "hydra.searchpath")),
}  # fmt: skip


@pytest.mark.parametrize("wrong", FILES)
def test_a_wrong_experiment_file_is_one_line(tmp_path: Path, wrong: str, monkeypatch, capfd):
    text, parts = FILES[wrong]
    find = experiment(tmp_path, text or "", "mine" if text is not None else "other")
    line = refused(["-m", *TINY, "steps=2", find, "experiment=mine"], tmp_path, monkeypatch, capfd)
    assert all(part in line for part in parts), line


MAKES = "_target_: os.mkdir, path: made"
CODE = {
    "a callback": f"hydra: {{callbacks: {{a: {{{MAKES}}}}}}}",
    "a launcher": f"hydra: {{launcher: {{{MAKES}}}}}",
    "a setting of a launcher": f"hydra: {{launcher: {{wait: {{{MAKES}}}}}}}",
    "a sweeper": f"hydra: {{sweeper: {{{MAKES}}}}}",
    "a handler of messages": "hydra: {job_logging: {version: 1, root: {handlers: [a]}, "
    "handlers: {a: {(): os.mkdir, path: made}}}}",
    "a network": f"arch: {{{MAKES}}}",
    "a value": f"steps: {{{MAKES}}}",
    "a tag": "steps: !!python/object/apply:os.mkdir [made]",
    "an environment": "hydra: {job: {env_set: {LD_PRELOAD: made.so}}}",
}


@pytest.mark.parametrize("multirun", [True, False])
@pytest.mark.parametrize("named", CODE)
def test_code_that_a_file_names_is_not_run(
    tmp_path: Path, named: str, multirun: bool, monkeypatch, capfd
) -> None:
    find = experiment(tmp_path, f"{GLOBAL}{CODE[named]}\n")
    arguments = [*TINY, "steps=2", find, "experiment=mine", *(["-m"] if multirun else [])]
    refused(arguments, tmp_path, monkeypatch, capfd)
    assert not (tmp_path / "made").exists()
