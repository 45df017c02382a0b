"""Penalties and bounds on the head that begin and end, against plain loops in float64."""

import copy
from dataclasses import replace
from itertools import pairwise
from threading import Event

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from grokpipe.cell import Cell
from grokpipe.errors import Interrupted
from grokpipe.store.run_log import read_result
from grokpipe.training.batches import stream
from grokpipe.training.execution import Execution
from grokpipe.training.loop import train
from grokpipe.training.pack import Pack, initial_network
from tests.helpers.training import curves, quiet, run_logs, same, trained

DOUBLE = "dtype=float64"
ADAMW = ("optimizer=adamw", "lr=0.003", "weight_decay=0.5", "lr_warmup=3")
SGD = ("optimizer=sgd", "lr=0.02", "weight_decay=0.01", "optimizer.momentum=0.9")
STEPS = 20


def penalty(own, z: Tensor, logits: Tensor, weight: Tensor, labels: Tensor, loss: str) -> Tensor:
    """f of one batch as a user would write it."""
    if own.measure == "cdnv":
        present = [c for c in labels.unique() if (labels == c).sum() > 1]
        groups = [z[labels == c] for c in present]
        variances = [g.var(0).sum() for g in groups]
        top = bottom = apart = torch.zeros((), dtype=z.dtype)
        for i, a in enumerate(groups):
            for j, b in enumerate(groups):
                if i != j:
                    noise = variances[i] / len(a) + variances[j] / len(b)
                    top = top + (variances[i] + variances[j]) / 2
                    distance = (a.mean(0) - b.mean(0)).square().sum()
                    bottom, apart = bottom + distance - noise, apart + distance
        return top / max(bottom, 0.01 * apart)
    if own.measure == "kappa" and loss == "squared_error":
        return 2 * weight.square().sum() * z.square().sum(1).mean()
    if own.measure == "kappa":  # the variance of the rows under p
        p = logits.softmax(1)
        mean = p @ weight
        variance = p @ weight.square().sum(1) - mean.square().sum(1)
        return (z.square().sum(1) * variance).mean()
    rest = 1 - (logits / own.temperature).softmax(1).square().sum(1)
    if own.measure == "uncertainty":
        return rest.mean()
    lengths = 1 if own.unit_features else z.square().sum(1)
    return weight.square().sum() * (rest * lengths).mean()


def plain(cell: Cell, steps: int = STEPS) -> dict[str, Tensor]:
    """Parameters after `steps` of one plain module, autograd and unfused torch.optim."""
    network, config, task = initial_network(cell), cell.config, cell.task
    own, settings, until = config.intervention, config.optimizer, config.intervention.until
    if settings.name == "adamw":
        optimizer: torch.optim.Optimizer = torch.optim.AdamW(
            network.parameters(), settings.lr, tuple(settings.betas), settings.eps,
            settings.weight_decay, foreach=False, fused=False,
        )  # fmt: skip
    else:
        optimizer = torch.optim.SGD(
            network.parameters(), settings.lr, settings.momentum,
            weight_decay=settings.weight_decay, foreach=False, fused=False,
        )  # fmt: skip
    (group,) = optimizer.param_groups
    for step, rows in enumerate(stream(config, task.train).take(steps)):
        begun = step >= (own.from_step or 0)
        ended = until.step is not None and step >= until.step
        group["lr"] = settings.lr * (min(1, step / config.lr_warmup) if config.lr_warmup else 1)
        if ended and until.lr_factor is not None:
            group["lr"] *= until.lr_factor
        if ended and until.weight_decay is not None:
            group["weight_decay"] = until.weight_decay
        logits, z = network(task.inputs[rows])
        labels, weight = task.labels[rows], network.head.weight
        if config.loss == "squared_error":
            loss = (logits - functional.one_hot(labels, task.classes)).square().sum()
        else:
            loss = functional.cross_entropy(logits, labels)
        penalised = own.name == "regularise"
        if penalised and begun and not ended:
            loss = loss + own.beta * penalty(own, z, logits, weight, labels, config.loss)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        gone = ended and (until.release_head or not penalised)
        if own.head and begun and not gone:
            norm = weight.detach().norm().item()
            factor = own.bound / norm if own.head == "sphere" or norm > own.bound else 1.0
            with torch.no_grad():
                weight *= factor
    return {name: p.detach() for name, p in network.named_parameters()}


def assert_plain(pack: Pack, cell: int, expected: dict[str, Tensor]) -> None:
    found = pack.cell_parameters(cell)
    for name, parameter in expected.items():
        if not name.endswith("qkv.bias"):  # a key's bias has no gradient but rounding
            torch.testing.assert_close(found[name], parameter, rtol=1e-9, atol=1e-11)


@pytest.fixture
def arm(token_cell):
    """arm(("measure=cdnv", …), (…)) → cells of the intervention that differ by these keys."""

    def make(name: str, *own: tuple[str, ...], shared: tuple[str, ...] = ADAMW) -> list[Cell]:
        return [
            token_cell(
                DOUBLE,
                f"intervention={name}",
                *shared,
                "seed=1",
                *(f"intervention.{k}" for k in keys),
            )
            for keys in own
        ]

    return make


SPANS = (
    (),
    ("from_step=7",),
    ("until.step=9", "until.lr_factor=3"),
    ("from_step=4", "until.step=12", "until.weight_decay=4"),
    ("from_step=500",),
)
"""always; from a step; until a step, with a change; both; never"""


def assert_the_plain_loop(cells: list[Cell], whole: bool = False) -> None:
    """Hold a pack, resumed within spans, to the plain loop; and its whole step before it is
    compiled."""
    assert len({cell.shared for cell in cells}) == 1
    assert len({cell.key for cell in cells}) == len(cells)
    pack = Pack(cells, execution=Execution(compiled=whole))
    if whole:
        (stack,) = pack.stacks
        others = len(stack.intervention.arguments(0))
        pack.programs.steps[len(cells)] = stack.step_function(others)
    pack.advance(8)
    state = copy.deepcopy(pack.state_dict())
    pack.advance(STEPS - 8)
    end = copy.deepcopy(pack.state_dict())
    pack.load_state_dict(state)
    pack.advance(STEPS - 8)
    assert same(pack.state_dict(), end)
    for i, cell in enumerate(cells):
        assert_plain(pack, i, plain(cell))


MEASURES = {
    "cdnv": ("measure=cdnv", "beta=0.01"),
    "cdnv, up": ("measure=cdnv", "beta=-0.01"),
    "kappa": ("measure=kappa", "beta=0.02"),
    "kappa, up": ("measure=kappa", "beta=-0.02"),
    "kappa_surrogate": ("measure=kappa_surrogate", "beta=-0.01", "temperature=2"),
    "unit features": (
        "measure=kappa_surrogate", "beta=-0.05", "temperature=2", "unit_features=true",
    ),
    "uncertainty": ("measure=uncertainty", "beta=-0.5", "temperature=2"),
}  # fmt: skip


@pytest.mark.parametrize("measure", MEASURES)
def test_a_penalty_in_its_span_is_the_plain_loop(arm, measure) -> None:
    whole = measure == "kappa, up"
    assert_the_plain_loop(
        arm("regularise", *((*MEASURES[measure], *span) for span in SPANS)), whole
    )


def test_settings_of_a_pack_are_each_cells_own(arm) -> None:
    surrogate = ("measure=kappa_surrogate", "head=cap")
    assert_the_plain_loop(
        arm(
            "regularise",
            (*surrogate, "beta=-0.02", "temperature=2", "unit_features=true", "bound=1.5"),
            (*surrogate, "beta=0.03", "temperature=1", "unit_features=false", "bound=2"),
            (*surrogate, "beta=0.03", "temperature=0.5", "unit_features=true", "bound=100"),
            shared=SGD,
        ),
        whole=True,
    )


def test_kappa_of_squared_error(arm) -> None:
    shared = ("loss=squared_error", *ADAMW)
    own = ("measure=kappa", "beta=0.01")
    assert_the_plain_loop(arm("regularise", own, (*own, "until.step=9"), shared=shared))


@pytest.mark.parametrize("form", ["cap", "sphere"])
@pytest.mark.parametrize("shared", [ADAMW, SGD], ids=["adamw", "sgd"])
def test_the_head_alone_is_the_plain_loop(arm, form, shared) -> None:
    spans = [(f"head={form}", f"bound={1.5 + i / 4}", *span) for i, span in enumerate(SPANS)]
    assert_the_plain_loop(arm("head_norm", *spans, shared=shared), whole=form == "sphere")


@pytest.mark.parametrize("release", ["false", "true"])
def test_a_penalty_ends_and_the_bound_stays_unless_it_is_released(arm, release) -> None:
    own = ("measure=uncertainty", "beta=-0.5", "head=sphere", f"until.release_head={release}")
    cells = arm("regularise", *((*own, f"bound={b}", "until.step=9") for b in (1.2, 3)))
    assert_the_plain_loop(cells)
    pack = Pack(cells)
    for steps, held in ((9, True), (STEPS - 9, release == "false")):
        pack.advance(steps)
        for i, bound in enumerate((1.2, 3)):
            norm = pack.cell_parameters(i)["head.weight"].norm().item()
            assert (abs(norm - bound) < 1e-12) is held


def test_what_is_not_acted_on_is_left_alone(arm, token_cell) -> None:
    """A cell beyond whose steps the span lies: to the bit the same whatever its neighbours do, and
    alone the baseline's, weights, moments and evaluations."""
    own = ("measure=kappa_surrogate", "head=cap", "bound=1", "beta=-0.1")
    never = (*own, "from_step=500")
    strong, silent, mild = arm("regularise", own, never, (*own, "from_step=9", "temperature=3"))
    with_strong, with_mild, alone = Pack([strong, silent]), Pack([mild, silent]), Pack([silent])
    baseline = Pack([token_cell(DOUBLE, *ADAMW, "seed=1")])
    for pack in (with_strong, with_mild, alone, baseline):
        pack.advance(STEPS)
    for name, parameter in with_strong.cell_parameters(1).items():
        assert torch.equal(parameter, with_mild.cell_parameters(1)[name])
    assert same(alone.parameters, baseline.parameters)
    assert same(alone.optimizer.state_dict(), baseline.optimizer.state_dict())
    assert torch.equal(alone.outputs(0).logits, baseline.outputs(0).logits)
    turns = Pack([strong, silent], execution=Execution("turns"))
    turns.advance(STEPS)
    assert same(dict(turns.cell_parameters(1)), dict(baseline.cell_parameters(0)))


def test_only_the_head_is_scaled_and_no_moment(arm, token_cell) -> None:
    (cell,) = arm("head_norm", ("head=sphere", "bound=0.7"))
    bounded, free = Pack([cell]), Pack([token_cell(DOUBLE, *ADAMW, "seed=1")])
    for pack in (bounded, free):
        pack.advance(1)
    assert same(bounded.optimizer.state_dict(), free.optimizer.state_dict())
    for name, parameter in free.cell_parameters(0).items():
        scale = 0.7 / parameter.norm() if name == "head.weight" else 1
        torch.testing.assert_close(bounded.cell_parameters(0)[name], scale * parameter)


EVENTS = ("task.p=5", "steps=60", "batch_size=12", "lr=0.02", "eval.every=5", "lr_warmup=3")


def test_an_event_begins_and_ends_it_wherever_the_checkpoints_fall(arm, tmp_path) -> None:
    """One evaluation after the one that shows it, to the bit as at steps that are given; also when
    interrupted between the two."""
    own = ("measure=uncertainty", "beta=-0.02", "head=cap", "bound=2", "until.lr_factor=0.5")
    first, last = "from_event='train_accuracy>=0.4'", "until.event=tau1"
    (cell,) = arm("regularise", (*own, first, last), shared=EVENTS)
    _, (log,) = trained([cell], tmp_path / "events")
    table = curves(log).set_index("step")
    steps = [int(table.index[table["train_accuracy"] >= level][0]) for level in (0.4, 1)]
    begin, end = (step + 5 for step in steps)
    assert 5 < begin < end < 55
    (other,) = arm("regularise", (*own, f"from_step={begin}", f"until.step={end}"), shared=EVENTS)
    _, (given,) = trained([other], tmp_path / "steps")
    assert curves(given).equals(curves(log))
    for cut in (begin - 2, end - 2):
        folder = tmp_path / f"cut {cut}"
        logs, stop, pack = run_logs([cell], folder), Event(), Pack([cell])
        advance = pack.advance

        def stopped(steps: int, request: Event | None = None, *, pack=pack, stop=stop, cut=cut,
                    advance=advance) -> None:  # fmt: skip
            if pack.step < cut <= pack.step + steps:
                advance(cut - pack.step, request)
                stop.set()
            else:
                advance(steps, request)

        pack.advance = stopped  # type: ignore[method-assign]
        with pytest.raises(Interrupted):
            train(pack, logs, folder / "pack.pt", quiet(), stop, Event())
        moment = pack.intervention.begin if cut < begin else pack.intervention.end
        assert moment.seen.all() and not moment.reached.any()
        _, (resumed,) = trained([cell], folder)
        assert curves(resumed).equals(curves(log))


def test_an_event_that_never_comes_is_said_once(arm, tmp_path) -> None:
    own = ("measure=cdnv", "beta=0.01", "from_event='test_accuracy>=1'", "until.step=500")
    (cell,) = arm("regularise", own)
    said: list[str] = []
    progress = quiet()
    progress.note = said.append  # type: ignore[method-assign]
    pack, (log,) = trained([cell], tmp_path, progress)
    never = [
        "intervention.from_event=test_accuracy>=1 never came",
        "intervention.until.step=500 never came",
    ]
    assert said == never  # the pack's name, which stands before them, has the only seed
    assert read_result(log.folder)["reason"] == "; ".join(["reached its steps", *never])
    baseline = Pack([replace(cell, config=replace(cell.config, intervention=_none()))])
    baseline.advance(STEPS)
    assert same(pack.parameters, baseline.parameters)


def test_of_several_cells_the_line_has_the_seed(arm, tmp_path) -> None:
    own = ("measure=cdnv", "from_step=500")
    said: list[str] = []
    progress = quiet()
    progress.note = said.append  # type: ignore[method-assign]
    trained(arm("regularise", ("beta=0.01", *own), ("beta=0.02", *own)), tmp_path, progress)
    assert said == ["seed 1: intervention.from_step=500 never came"] * 2


def _none():
    from grokpipe.interventions.none import Config

    return Config("none")


def test_the_released_regulariser_is_a_confidence_penalty_on_a_sphere(arm, token_cell) -> None:
    """Under plain gradient descent, where they differ by a radial gradient only: over the same
    time, the logits differ in proportion to the rate. From a network that fits its training set, so
    that the gradient points out of the cap."""
    fitted = Pack([token_cell(DOUBLE, "lr=0.01", "weight_decay=0", "seed=1")])
    fitted.advance(60)
    norm = fitted.parameters["head.weight"].norm().item()
    penalty = (f"beta={-0.01 * norm**2!r}", "measure=uncertainty", "head=sphere")
    released = ("beta=-0.01", "measure=kappa_surrogate", "unit_features=true", "head=cap")
    gaps = []
    for rate, steps in ((1e-2, 3), (1e-3, 30), (1e-4, 300)):
        logits = []
        for own in (released, penalty):
            shared = ("optimizer=sgd", f"lr={rate}", "weight_decay=0")
            keys = (*own, "temperature=2", f"bound={norm!r}")
            pack = Pack(arm("regularise", keys, shared=shared))
            for mine, theirs in zip(pack.parameters.values(), fitted.parameters.values()):
                mine.copy_(theirs)
            pack.advance(steps)
            assert pack.parameters["head.weight"].norm().item() == pytest.approx(norm, rel=1e-12)
            logits.append(pack.outputs(0).logits)
        gaps.append((logits[0] - logits[1]).abs().max().item())
    for coarse, fine in pairwise(gaps):
        assert 5 < coarse / fine < 20
    assert gaps[0] < 1e-5
