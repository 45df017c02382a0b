"""The norm of the weights on its target, and what is left alone."""

import dataclasses
import shutil
from threading import Event

import pandas as pd
import pytest
import torch
from omegaconf import OmegaConf

from grokpipe.cell import Cell
from grokpipe.curves.events import ENTROPY
from grokpipe.errors import InputError, Interrupted
from grokpipe.fingerprint import of_run_log
from grokpipe.launch import baselines
from grokpipe.provenance import fingerprint
from grokpipe.store import trajectories
from grokpipe.training.loop import train
from grokpipe.training.pack import Pack
from tests.helpers.training import curves, next_batch, quiet, run_logs, same, trained

SEEDS = "intervention.baseline_seeds=[0,1]"


def norm(pack: Pack, cell: int) -> float:
    squares = [p.double().square().sum() for p in pack.cell_parameters(cell).values()]
    return torch.stack(squares).sum().sqrt().item()


@pytest.fixture
def baseline(token_cell, tmp_path):
    """matched("intervention=…", …) → a cell that follows a finished baseline in tmp_path."""
    place = (f"outputs={tmp_path}", "name=x")
    cells = [token_cell(*place, f"seed={seed}") for seed in (0, 1)]
    trained(cells, tmp_path / "x" / "cells")

    def matched(*overrides: str) -> Cell:
        config = token_cell(*place, SEEDS, *overrides).config
        return Cell.of(baselines.following(config, baselines.baseline(config)))

    return matched


@pytest.mark.parametrize("name", ["norm_match", "mixing_norm_match"])
def test_the_norm_is_on_the_baselines_trajectory(baseline, tmp_path, name) -> None:
    logs = sorted((tmp_path / "x" / "cells").glob("*/curves.parquet"))
    tables = [pd.read_parquet(log).set_index("step")["weight_norm"] for log in logs]
    expected = (tables[0] + tables[1]) / 2
    pack = Pack([baseline(f"intervention={name}", f"seed={seed}") for seed in (0, 3)])
    for step in range(1, 16):
        pack.advance(1)
        below, above = step - step % 5, step - step % 5 + 5
        share = (step - below) / 5
        target = (1 - share) * expected[below] + share * expected[min(above, 20)]
        for cell in (0, 1):
            assert norm(pack, cell) == pytest.approx(target, rel=1e-6)


def test_adamws_moments_are_left_alone(baseline) -> None:
    """The first step of the optimiser is the baseline's; only the weights are scaled after it."""
    matched = Pack([baseline("intervention=norm_match")])
    config = matched.cells[0].config
    none = baselines.baseline(config)[0].config.intervention
    plain = Pack([Cell.of(dataclasses.replace(config, intervention=none))])
    matched.advance(1)
    plain.advance(1)
    assert same(matched.optimizer.state_dict(), plain.optimizer.state_dict())
    pairs = zip(matched.parameters.values(), plain.parameters.values())
    ratios = [(a / b)[b.abs() > 1e-3] for a, b in pairs]
    factors = torch.cat([ratio.flatten() for ratio in ratios])
    assert factors.max() - factors.min() < 1e-6 and abs(factors.mean() - 1) > 1e-6


def test_temperature_gives_the_logits_the_baselines_scale(baseline) -> None:
    from torch.nn import functional

    cell = baseline("intervention=mixing_norm_match", "intervention.temperature=true")
    pack, alpha = Pack([cell]), cell.config.intervention.alpha
    pack.advance(7)
    inputs, labels = next_batch(pack)
    found = pack.gradients(inputs, labels)
    from tests.helpers.cells import network

    module = network(pack, 0)
    logits, z = module(inputs[0])
    scale = trajectories.read_for(cell.config).at(7).logit_scale
    spread = (logits - logits.mean(1, keepdim=True)).detach().pow(2).mean().sqrt()
    heat = scale / spread
    other = (1 - alpha) * z + alpha * z.roll(1, 0)
    loss = 0.5 * functional.cross_entropy(heat * logits, labels[0])
    loss = loss + 0.5 * functional.cross_entropy(heat * module.head(other), labels[0])
    loss.backward()
    for gradient, parameter in zip(found, module.parameters()):
        torch.testing.assert_close(gradient[0], parameter.grad, rtol=1e-3, atol=1e-6)
    assert abs(heat - 1) > 1e-4


def test_other_baseline_runs_are_another_key(baseline, tmp_path) -> None:
    """What the baseline did, not only which cells it was, is in the key."""
    before = baseline("intervention=norm_match")
    log = next((tmp_path / "x" / "cells").glob("*/curves.parquet"))
    table = pd.read_parquet(log)
    table.loc[2, "weight_norm"] *= 1 + 1e-12
    table.to_parquet(log, index=False)
    after = baseline("intervention=norm_match")
    assert after.key != before.key
    assert trajectories.read_for(before.config) != trajectories.read_for(after.config)


def test_a_changed_trajectory_is_refused(baseline, tmp_path) -> None:
    cell = baseline("intervention=norm_match")
    (file,) = (tmp_path / "x" / "trajectories").glob("*.json")
    file.write_text(file.read_text().replace("1", "2", 1))
    trajectories._read.cache_clear()
    with pytest.raises(InputError, match="does not match the hash"):
        Pack([cell])
    file.unlink()
    with pytest.raises(InputError, match=r"intervention.trajectory=\w+: no such file"):
        Pack([cell])


def test_a_moved_folder_is_still_checked(baseline, tmp_path, monkeypatch) -> None:
    """Its fingerprint needs the trajectory, which lies beside the cells."""
    cell = baseline("intervention=norm_match", "seed=3")
    log = tmp_path / "x" / "cells" / cell.key
    log.mkdir()
    OmegaConf.save(OmegaConf.structured(cell.config), log / "config.yaml")
    monkeypatch.setattr(fingerprint, "_cache_folder", lambda: tmp_path / "cache")
    before = of_run_log(log, {})
    shutil.rmtree(tmp_path / "cache")
    (tmp_path / "x").rename(tmp_path / "moved")
    assert of_run_log(tmp_path / "moved" / "cells" / log.name, {}) == before


def test_frozen_from_a_step_on(token_cell) -> None:
    overrides = ("intervention=norm_freeze", "intervention.from_event=null")
    cells = [token_cell(*overrides, f"intervention.from_step={step}") for step in (3, 9)]
    pack, plain = Pack(cells), Pack([token_cell()])
    free, held = [], []
    for _ in range(14):
        pack.advance(1)
        plain.advance(1)
        free.append(norm(plain, 0))
        held.append([norm(pack, 0), norm(pack, 1)])
    for cell, step in ((0, 3), (1, 9)):
        for at in range(14):
            expected = free[at] if at < step else held[step - 1][cell]
            assert held[at][cell] == pytest.approx(expected, rel=1e-6)
    assert abs(free[13] / free[8] - 1) > 1e-4  # it would have moved


def test_frozen_from_an_event_on_wherever_the_checkpoints_fall(token_cell, tmp_path) -> None:
    """Held one evaluation after the one that shows the event, to the bit the same when interrupted
    between the two."""
    cell = token_cell(
        "intervention=norm_freeze", "intervention.from_event=tau1", "task.p=5", "lr=0.02",
        "steps=80", "batch_size=12",
    )  # fmt: skip
    _, (log,) = trained([cell], tmp_path / "whole")
    table = curves(log).set_index("step")
    event = int(table.index[table["train_accuracy"] == 1][0])
    assert event + 15 <= 80
    after = table.loc[event + 5 :, "weight_norm"]
    assert after.max() / after.min() - 1 < 1e-6
    assert abs(table.loc[event + 5, "weight_norm"] / table.loc[event, "weight_norm"] - 1) > 1e-5

    logs, stop = run_logs([cell], tmp_path / "cut"), Event()
    pack = Pack([cell])
    advance = pack.advance

    def cut(steps: int, stopped: Event | None = None) -> None:
        if pack.step < event + 3 <= pack.step + steps:
            advance(event + 3 - pack.step, stopped)
            stop.set()
        else:
            advance(steps, stopped)

    pack.advance = cut  # type: ignore[method-assign]
    with pytest.raises(Interrupted):
        train(pack, logs, tmp_path / "cut" / "pack.pt", quiet(), stop, Event())
    assert not pack.intervention.held.isfinite().any()  # the event is read, the norm not yet held
    _, (resumed,) = trained([cell], tmp_path / "cut")
    assert curves(resumed).equals(curves(log))


@pytest.mark.parametrize(
    "event", ["sustained(train_accuracy>=0.4, 2)", "t_collapse", "train_accuracy>0.4"]
)
def test_what_a_freeze_has_seen_goes_on_where_it_was(token_cell, event) -> None:
    """A row under way and a window are kept for each cell, whatever the width of the pack."""
    overrides = ("intervention=norm_freeze", f"intervention.from_event='{event}'")
    cells = [token_cell(*overrides, f"seed={seed}") for seed in range(3)]
    draws = torch.Generator().manual_seed(1)
    rows = [
        [
            {"step": step, "train_accuracy": accuracy, ENTROPY: entropy}
            for accuracy, entropy in torch.rand(3, 2, generator=draws).tolist()
        ]
        for step in range(12)
    ]

    def observed(pack: Pack, members: list[int], steps: range) -> list[list[bool]]:
        seen = []
        for step in steps:
            for place, member in enumerate(members):
                pack.intervention.observe(place, rows[step][member])
            seen.append(pack.intervention.begin.seen.tolist())
        return seen

    whole = observed(Pack(cells), [0, 1, 2], range(12))
    assert any(whole[-1]) and not all(whole[0])
    for cut in range(1, 11):
        pack, resumed = Pack(cells), Pack(cells)
        observed(pack, [0, 1, 2], range(cut))
        resumed.load_state_dict(pack.state_dict())
        assert observed(resumed, [0, 1, 2], range(cut, 12)) == whole[cut:]
        pack.keep([0, 2])
        assert observed(pack, [0, 2], range(cut, 12)) == [[one[0], one[2]] for one in whole[cut:]]


def test_noise_goes_on_where_it_was_and_is_each_cells_own(token_cell) -> None:
    cells = [token_cell("intervention=noise", f"seed={seed}") for seed in range(3)]
    whole = Pack(cells)
    whole.advance(4)
    state = whole.state_dict()
    drawn = whole.intervention.arguments(4)[1]
    resumed = Pack(cells)
    resumed.load_state_dict(state)
    assert torch.equal(resumed.intervention.arguments(4)[1], drawn)
    alone = Pack([cells[2]])
    alone.advance(4)
    assert torch.equal(alone.intervention.arguments(4)[1][0], drawn[2])
    narrowed = Pack(cells)
    narrowed.advance(4)
    narrowed.keep([1, 2])
    assert torch.equal(narrowed.intervention.arguments(4)[1], drawn[1:])


@pytest.mark.parametrize(
    "overrides, message",
    [
        (("norm_freeze", "intervention.from_step=5"), "either a step or intervention.from_event"),
        (("norm_freeze", "intervention.from_event=null"), "either a step or"),
        (("norm_freeze", "intervention.from_event=tau3"), "must be one of"),
        (("norm_freeze", "intervention.from_event=tau2_half"), "training cannot know the final"),
        (("norm_match", "measures.names=[logits]"), "add weights"),
        (("mixing_norm_match", "measures.names=[weights]"), "add logits"),
        (("norm_match", "intervention.baseline_seeds=[]"), "at least one seed"),
        (("mixing", "intervention.alpha=1"), "must be < 1"),
        (("noise", "intervention.alpha=-0.1"), "must be ≥ 0"),
        (("regularise", "intervention.measure=rank"), "must be one of entropy, cdnv, kappa"),
        (("regularise", "intervention.beta=nan"), "must be a finite number"),
    ],
)
def test_bad_input(compose, overrides, message) -> None:
    with pytest.raises(InputError, match=message):
        compose("task=mod_add", f"intervention={overrides[0]}", *overrides[1:])
