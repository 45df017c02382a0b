"""The printed commands train exactly the cells that were chosen, for twice their budget: expanded
by Hydra's own grammar and composed one by one, they give those keys."""

import shlex
from collections.abc import Callable
from dataclasses import asdict, replace
from itertools import product
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from analysis.runs import longer_budget
from grokpipe.cell import Cell
from grokpipe.config.schema import Config
from grokpipe.store import manifest
from grokpipe.store.run_log import RunLog

Compose = Callable[..., Config]


def jobs(command: str) -> list[list[str]]:
    """Overrides of each cell that a command trains."""
    words = shlex.split(command)
    assert words[:3] == ["python", "-m", "grokpipe"]
    texts = [word for word in words[3:] if word != "-m"]
    parsed = OverridesParser.create().parse_overrides(texts)
    assert any(o.is_sweep_override() for o in parsed) == ("-m" in words[3:])
    choices = [
        [f"{o.key_or_group}={value}" for value in o.sweep_string_iterator()]
        if o.is_sweep_override()
        else [text]
        for o, text in zip(parsed, texts, strict=True)
    ]
    return [[*job] for job in product(*choices)]


def longer(config: Config) -> Config:
    published = config.eval.schedule == "published"
    budget = (config.eval.budget or config.steps) if published else None
    return replace(config, steps=2 * config.steps, eval=replace(config.eval, budget=budget))


def store(folder: Path, compose: Compose, *overrides: str, experiment: str | None = None) -> str:
    """The run log of a cell that was begun, and its request."""
    chosen = [f"experiment={experiment}"] if experiment else []
    cell = Cell.of(compose(*chosen, *overrides, f"outputs={folder.parent}", f"name={folder.name}"))
    RunLog(manifest.cells_folder(folder) / cell.key).start(asdict(cell.config), {})
    manifest.record_asked(folder, [{"key": cell.key, "experiment": experiment}])
    return cell.key


GRIDS = {
    "a whole grid": (
        1,
        [(f"weight_decay={w}", f"seed={s}") for w in (0.1, 0.3) for s in range(4)],
        None,
    ),
    "another set of seeds for each decay": (
        2,
        [("weight_decay=0.1", f"seed={s}") for s in (0, 1, 2)]
        + [(f"weight_decay={w}", f"seed={s}") for w in (0.3, 1e-5) for s in (1, 7)],
        None,
    ),
    "one cell": (1, [("seed=3", "lr=5e-4", "threads=1")], None),
    "members of groups with keys of their own": (
        3,
        [("task=mod_add", "seed=0"), ("task=mod_add", "seed=1")]
        + [("task=mod_add", "intervention=mixing", f"intervention.alpha={a}") for a in (0.1, 0.5)]
        + [("task=s5", "arch=mlp", "arch.width=12", "batches=full", "batch_size=null")],
        None,
    ),
    "a stop rule that is a condition": (
        1,
        [
            ("stop.event='sustained(test_accuracy>=0.9, 5)'", "stop.margin=20", f"seed={s}")
            for s in (0, 2)
        ],
        None,
    ),
    "a grid of an experiment": (
        1, [(f"seed={s}", "intervention.alpha=0.1") for s in range(3)], "entropy/e2_mixing",
    ),
    "an experiment that is gone": (1, [("task=mod_add", "seed=0")], "gone/for_good"),
    "regular evaluations, shorter and longer": (
        1, [("eval={schedule: regular, every: 50}", f"steps={n}") for n in (100, 300)], None,
    ),
    "published evaluations, shorter and longer": (2, [(f"steps={n}",) for n in (300, 600)], None),
}  # fmt: skip


@pytest.mark.parametrize("grid", GRIDS)
def test_commands_give_exactly_the_cells(tmp_path: Path, compose: Compose, grid: str) -> None:
    count, cells, experiment = GRIDS[grid]
    folder = tmp_path / "x"
    there = None if experiment == "gone/for_good" else experiment
    keys = [store(folder, compose, *own, experiment=there) for own in cells]
    manifest.record_asked(folder, [{"key": key, "experiment": experiment} for key in keys])
    commands, varying = longer_budget.commands(folder, keys)
    assert len(commands) == count, commands
    trained = [Cell.of(compose(*job)) for command in commands for job in jobs(command)]
    chosen = [f"experiment={there}"] if there else []
    wanted = [
        Cell.of(longer(compose(*chosen, *own, f"outputs={tmp_path}", "name=x"))) for own in cells
    ]
    assert sorted(cell.key for cell in trained) == sorted(cell.key for cell in wanted)
    assert {cell.folder for cell in trained} == {folder}
    assert len({*map(str, varying.values())}) == len(keys)  # each is told from the others


def test_values_are_written_in_hydras_grammar(compose: Compose) -> None:
    values = [None, True, 0.1, 1e-5, 10**6, "a/b", "null", "1", 'x>="1"', [0.9, 0.98], {"a": 1}]
    for value in values:
        (override,) = OverridesParser.create().parse_overrides([f"k={longer_budget._text(value)}"])
        assert override.value() == value


def test_no_cells_give_no_command(tmp_path: Path) -> None:
    assert longer_budget.commands(tmp_path, []) == ([], {})
