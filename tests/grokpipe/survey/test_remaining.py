"""What is done of sweeps and what remains: counted before and after a small sweep."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from grokpipe.config import command
from grokpipe.executors.serial import Serial
from grokpipe.launch import launcher
from grokpipe.survey import rates, remaining
from grokpipe.survey.remaining import Remaining
from tests.helpers.cli import SERIAL, TOKENS

BASELINE = "entropy/e1_baseline"
MATCHED = "entropy/e3_norm_control"


def words(experiment: str, outputs: Path, *overrides: str) -> list[str]:
    return [
        "-m", f"experiment={experiment}", SERIAL, *TOKENS, f"outputs={outputs}", "seed=range(2)",
        "measures.names=[weights,logits]", "snapshots=null", "progress=false", *overrides,
    ]  # fmt: skip


def matched(outputs: Path) -> list[str]:
    follows = ("intervention.alpha=0.1", "intervention.baseline_seeds=[0,1]")
    return words(MATCHED, outputs, *follows)


def train(arguments: Sequence[str]) -> None:
    listing, _ = command.listed(command.compose(command.read(arguments)))
    name = arguments[1].partition("=")[2]
    launcher.run(listing.configs, listing.labels, name, Serial())


@pytest.fixture
def outputs(compose, tmp_path: Path) -> Path:
    """A folder for run logs; what configurations are made of is registered."""
    return tmp_path / "outputs"


def test_what_remains_before_and_after(outputs: Path) -> None:
    baseline = words(BASELINE, outputs)
    arm = words("entropy/d2_failures", outputs, "weight_decay=1", "task.fraction=0.5")
    commands = [baseline, matched(outputs), words(BASELINE, outputs, "steps=50"), arm]

    first, second, longer, again = remaining.remaining(commands)
    assert first == Remaining(
        experiment=BASELINE,
        folder=f"{outputs}/entropy",
        cells=2,
        repeated=0,
        states={"missing": 2},
        is_asked=False,
        steps=40,
        steps_left=40,
        seconds_left=None,  # nothing tells, and a trial would take longer
        by_trial=False,
        bytes_left=first.bytes_left,
    )
    assert (second.experiment, second.states, second.steps_left) == (MATCHED, {"missing": 2}, 40)
    assert (longer.steps, longer.steps_left) == (100, 60)  # goes on from the first, once trained
    assert (again.cells, again.repeated) == (2, 2)  # the baseline is one of its arms
    assert (again.states, again.steps, again.steps_left) == ({}, 0, 0)
    assert not outputs.exists()

    train(baseline)
    for file in outputs.rglob("provenance.json"):
        file.write_text(json.dumps({**json.loads(file.read_text()), "wall_seconds": 2.0}))
    first, second, longer, again = remaining.remaining(commands)
    assert (first.states, first.is_asked) == ({"done": 2}, True)
    assert (first.steps, first.steps_left, first.seconds_left, first.bytes_left) == (40, 0, 0, 0)
    assert (second.states, longer.steps_left) == ({"missing": 2}, 60)
    assert not longer.is_asked
    assert longer.seconds_left == pytest.approx(60 / (2 * 20 / 2.0))  # by the runs of that network
    assert not longer.by_trial
    assert not again.is_asked  # still to be requested, or its table would lack them


def test_a_baseline_that_nothing_trains_is_refused_at_once(outputs: Path, capsys) -> None:
    assert remaining.main(matched(outputs)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        f"error: experiment={MATCHED}: follows a baseline that no earlier experiment trains: "
        "seeds 0, 1"
    )
    assert remaining.main(["-m", "experiment=entropy/e1_baselin"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: experiment=entropy/e1_baselin: no such choice; valid: ")
    assert remaining.main(words(BASELINE, outputs, "steps=-1")) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: experiment={BASELINE}: steps=-1: must be")


def test_the_arguments_of_several_commands(outputs: Path, capsys) -> None:
    given = [*words(BASELINE, outputs), *words("entropy/e9_rates", outputs, "lr=0.001,0.003")]
    assert remaining.main(given) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(one["experiment"], one["cells"]) for one in found] == [
        (BASELINE, 2),
        ("entropy/e9_rates", 4),
    ]


def test_disk_space_is_counted_by_hand(cell) -> None:
    one = cell("measures.names=[]", "snapshots=log:5")
    curves = 8 * 5 * 21  # step, two accuracies, two losses; at each of 20 steps, and the start
    numbers = 784 * 12 + 12 + 12 * 12 + 12 + 12 * 10 + 10
    assert one.parameters == numbers
    assert remaining.bytes_of(one) == curves + 4 * numbers * (3 + 5)
    bare = replace(one.config, snapshots=None, save=replace(one.config.save, final=False))
    assert remaining.bytes_of(replace(one, config=bare)) == curves


def test_a_trial_tells_what_no_run_tells(cell, monkeypatch) -> None:
    monkeypatch.setattr(rates, "uncompiled", lambda cells, device: {"seconds": 0.002})
    known, short = rates.Rates({}), cell()
    assert known.rate(short, 1, 1) is None
    long = replace(short, config=replace(short.config, steps=5000))
    assert known.rate(long, 1, 1) == 500
    assert known.is_by_trial(long)
