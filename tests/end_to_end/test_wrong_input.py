"""Wrong input to the command: one line that names it and what would be valid, nothing written."""

from pathlib import Path

import pytest

from tests.helpers.cli import TINY
from tests.helpers.refused import refused

WRONG = {
    ("wieght_decay=0.1",): ("wieght_decay", "weight_decay"),
    ("arch.widht=3",): ("arch.widht", "arch.width"),
    ("evall.every=3",): ("evall.every", "eval.every"),
    ("+foo=1",): ("foo: no such key",),
    ("seed=many",): ("seed=many: must be a whole number",),
    ("arch.width=wide",): ("arch.width=wide: must be a whole number",),
    ("steps=1e5",): ("steps=1e5: must be a whole number; write 100000",),
    ("arch.widths=64",): ("arch.widths=64: must be a list",),
    ("stop=t_grok",): ("stop=t_grok: has keys", "set stop.event, stop.sustained or stop.margin"),
    ("weight_decay=-1",): ("weight_decay=-1: must be ≥ 0",),
    ("lr=nan",): ("lr=nan",),
    ("steps=0",): ("steps=0: must be ≥ 1",),
    ("optimizer.betas=[0.9,1]",): ("optimizer.betas", "must be < 1"),
    ("batch_size=65",): ("batch_size=65", "64"),
    ("train_size=60001",): ("train_size=60001", "60000"),
    ("task=mnits",): ("task=mnits", "fashion_mnist, mnist"),
    ("experiment=colapse",): ("experiment=colapse", "collapse/weight_decay", "demo, entropy/…, "),
    ("experiment=flatness",): ("valid: collapse/…, demo, ", "flatness/baseline, ", ", tutorial"),
    ("loss=hinge",): ("loss=hinge", "squared_error, cross_entropy"),
    ("measures.names=[flatnes]",): ("flatnes", "flatness"),
    ("eval.schedule=regular",): ("eval.every=null",),
    ("eval.every=5",): ("eval.every=5", "eval.schedule=regular"),
    ("name=a/b",): ("a/b", "slash"),
    ("name=..",): ("name='..'",),
    ("outputs=",): ("outputs=",),
    ("optimizer.betas=[0.9]",): ("optimizer.betas=[0.9]", "2 values"),
    ("weight_decay=inf",): ("weight_decay=inf", "finite"),
    ("seed=99999999999999999999",): ("seed=99999999999999999999",),
    ("measures.names=[weights,weights]",): ("each measure once",),
    ("optimizer.weight_decay=0.3",): ("optimizer.weight_decay=0.3", "set weight_decay"),
    ("wd=0.3",): ("nearest: weight_decay",),
    ("name=${nope}",): ("nope",),
    ("experiment=demo",): ("experiment=demo: a grid over weight_decay, seed", "add -m"),
    ("+experiment=demo",): ("experiment", "without a plus"),
    ("hydra/launcher=joblib", "-m"): ("hydra/launcher=joblib", "local, slurm, serial"),
    ("hydra.launcher.dryrun=true", "-m"): ("hydra.launcher.dryrun", "hydra.launcher.dry_run"),
    ("hydra.launcher.packs_per_gpu=0", "-m"): ("hydra.launcher.packs_per_gpu=0", "≥ 1"),
    ("hydra/launcher=slurm", "hydra.launcher.cpus=0", "-m"): ("hydra.launcher.cpus=0", "≥ 1"),
    ("hydra/launcher=slurm", "hydra.launcher.partitoin=x", "-m"): ("hydra.launcher.partition",),
    ("hydra/launcher=slurm", "threads=4", "-m"): ("threads=4", "hydra.launcher.cpus=1"),
    ("hydra/launcher=slurm", "device=cuda", "-m"): ("device=cuda", "hydra.launcher.gpus=1"),
    ("hydra/launcher=slurm", "hydra.launcher.wait=maybe", "-m"): ("hydra.launcher.wait",),
    ("snapshots=30",): ("snapshots=30", "log:N"),
    ("experiment=demo,collapse/weight_decay", "-m"): ("one experiment at a time",),
    ("outputs=/proc/nowhere",): ("/proc/nowhere",),
    ("outputs=/etc/hostname",): ("/etc/hostname",),
    ("batches=full",): ("batch_size=16", "batches=full", "batch_size=null"),
    ("batch_size=null",): ("batch_size=null", "batches=epochs"),
    ("batches=none",): ("batches=none", "epochs, replacement, full"),
    ("stop.event=t_grock",): ("stop.event=t_grock", "t_mem, t_grok"),
    ("stop.margin=10",): ("stop.margin=10", "no event"),
    ("stop.event=tau2_half",): ("stop.event=tau2_half: training cannot know", "t_mem, t_grok"),
    ("stop.event=test_accuracy>=0.9",): ("write 'stop.event=\"test_accuracy>=0.9\"'",),
    ("stop.event=sustained(test_accuracy>=0.9, 2)", "-m"): (
        "write 'stop.event=\"sustained(test_accuracy>=0.9, 2)\"'",
    ),
    ("stop={event: test_accuracy>0.9, sustained: 1, margin: 0}",): (
        "write 'stop={event: \"test_accuracy>0.9\", sustained: 1, margin: 0}'",
    ),
    # what a shell leaves of it without quotes: the rest went into a file
    ("stop.event=test_accuracy",): ("stop.event=test_accuracy", "'stop.event=\"test_accuracy>="),
    ('stop.event="test_accuracy>>0.9"', "stop.sustained=1", "stop.margin=0"): (
        "not a condition",
        "column>=number",
    ),
    ('stop.event="sharpness>=1"', "stop.sustained=1", "stop.margin=0"): (
        "stop.event=sharpness>=1: no column sharpness",
        "valid: train_accuracy, test_accuracy",
    ),
    ('stop.event="fourier/alignment>=1"', "stop.sustained=1", "stop.margin=0", "-m"): (
        "needs fourier among measures.names",
    ),
    ("stop={event: tau_rnc1@0.1, sustained: 1, margin: 0}", "measures.names=[weights]"): (
        "stop.event=tau_rnc1@0.1",
        "collapse",
    ),
    ("stop.margin=0,10", "stop.event=tau1", "stop.sustained=1", "-m"): (
        "stop.margin=10",
        "must share one",
    ),
    ("train_size=null",): ("task.train_size",),
    ("arch=transformer",): ("arch=transformer", "pairs of tokens", "valid: cnn, "),
    ("measures.names=[fourier]",): ("measures.names=fourier", "cyclic group", "valid: collapse"),
    ("arch.embedding=8",): ("arch.embedding=8", "for tokens only"),
    ("device=cuda:7",): ("device=cuda:7", "valid: auto, cpu"),
    ("compile=yes",): ("compile=", "auto, on, off"),
    ("pack.width=0",): ("pack.width=0", "≥ 1"),
}


WRONG_TOKENS = {
    ("task=mod_div", "task.p=96"): ("task.p=96", "89, 97"),
    ("task=mod_add", "task.fraction=0.0001"): ("task.fraction=0.0001", "no training pair"),
    ("task=mod_add", "task.fraction=1"): ("task.fraction=1", "must be < 1"),
    ("task=s5", "task.n=7"): ("task.n=7", "must be < 7"),
    ("task=s5", "measures=cyclic"): ("measures.names=fourier", "cyclic group"),
    ("task=mod_add", "train_size=500"): ("train_size=500", "task=mod_add", "train_size=null"),
    ("task=mod_add", "batches=epochs", "batch_size=1882"): ("batch_size=1882", "1881", "full"),
    ("task=mod_add", "arch.heads=3"): ("arch.heads=3", "divide arch.width=128"),
    ("task=mod_add", "arch.tokens=4"): ("arch.tokens=4", "< 4"),
    ("task=mod_add", "arch.norm=none"): ("arch.norm=none", "post, pre"),
    ("task=equations", "arch=mlp"): ("arch.init_scale=null: must have a value",),
    ("task=equations", "arch=mlp", "init_scale=1"): (
        "reads out one position",
        "causal_transformer",
    ),
}


@pytest.mark.parametrize("arguments", WRONG_TOKENS, ids=" ".join)
def test_wrong_input_for_tokens_is_one_line_too(tmp_path, arguments, monkeypatch, capfd) -> None:
    told = refused(("steps=2", *arguments), tmp_path, monkeypatch, capfd)
    assert all(part in told for part in WRONG_TOKENS[arguments]), told


@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_wrong_input_is_one_line_before_anything_runs(
    tmp_path: Path, arguments, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    told = refused((*TINY, *arguments), tmp_path, monkeypatch, capfd)
    assert all(part in told for part in WRONG[arguments]), told
