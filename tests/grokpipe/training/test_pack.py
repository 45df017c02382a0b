"""Packs against the plain PyTorch loop, and the independence of their cells."""

import pytest
import torch
from torch.nn import functional

from grokpipe.optimizers import rates
from grokpipe.training.batches import stream
from grokpipe.training.pack import Pack, chunks, initial_network
from grokpipe.training.programs.step import cell_gradients, flattened, stacked
from grokpipe.training.programs.tracing import traced


def plain_loop(
    cell, optimizer: torch.optim.Optimizer, network: torch.nn.Module, steps: int
) -> None:
    """What a user would write: one module, autograd, torch.optim."""
    task, config = cell.task, cell.config
    for rows in stream(config, task.train).take(steps):
        logits, _ = network(task.inputs[rows])
        if config.loss == "squared_error":
            targets = functional.one_hot(task.labels[rows], task.classes).float()
            loss = ((logits - targets) ** 2).sum()
        else:
            loss = functional.cross_entropy(logits, task.labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


ADAMW = ("optimizer=adamw", "lr=0.003", "weight_decay=0.5", "optimizer.betas=[0.8,0.95]")
ADAM = ("optimizer=adam", *ADAMW[1:])
SGD = ("optimizer=sgd", "lr=1e-5", "weight_decay=0.1", "optimizer.momentum=0.9")


@pytest.mark.parametrize("loss", ["squared_error", "cross_entropy"])
@pytest.mark.parametrize(
    "overrides", [ADAMW, ADAM, SGD, SGD[:-1]], ids=["adamw", "adam", "momentum", "sgd"]
)
def test_follows_the_plain_loop_step_by_step(cell, overrides, loss) -> None:
    one = cell(*overrides, f"loss={loss}")
    pack, network = Pack([one]), initial_network(one)
    settings = one.config.optimizer
    if settings.name in ("adamw", "adam"):
        kind = torch.optim.AdamW if settings.name == "adamw" else torch.optim.Adam
        optimizer: torch.optim.Optimizer = kind(
            network.parameters(), settings.lr, tuple(settings.betas), settings.eps,
            settings.weight_decay,
        )  # fmt: skip
    else:
        optimizer = torch.optim.SGD(
            network.parameters(), settings.lr, settings.momentum,
            weight_decay=settings.weight_decay,
        )  # fmt: skip
    before = [p.detach().clone() for p in network.parameters()]
    for steps in (1, 1, 10):  # both sides start the stream anew each time
        pack.streams[0] = stream(one.config, one.task.train)
        pack.advance(steps)
        plain_loop(one, optimizer, network, steps)
        found = pack.cell_parameters(0)
        for name, parameter in network.named_parameters():
            torch.testing.assert_close(found[name], parameter, rtol=2e-4, atol=2e-5)
    moved = [(a - b).abs().max() for a, b in zip(before, network.parameters(), strict=True)]
    assert min(moved) > 0  # every parameter is trained


@pytest.mark.parametrize("loss", ["squared_error", "cross_entropy"])
@pytest.mark.parametrize("width", [1, 3])
def test_tracing_changes_no_bit(cell, loss, width) -> None:
    pack = Pack([cell(f"loss={loss}", f"seed={seed}") for seed in range(width)])
    names = list(pack.parameters)
    gradients = stacked(cell_gradients(pack.template, loss, names, pack.intervention), width)
    program = None
    for rows in torch.stack([own.take(5) for own in pack.streams], 1):
        batch = pack.stacks[0].batch(rows)
        arguments = flattened([*pack.parameters.values(), *batch])
        program = program or traced(gradients, *arguments)
        for found, expected in zip(program(*arguments), gradients(*arguments), strict=True):
            assert torch.equal(found, expected)
        lr, decay = rates([one.config for one in pack.cells], 0, 1)
        pack.optimizer.step(pack.gradients(*batch), lr[0], decay[0])


def test_cells_of_a_pack_have_coefficients_of_their_own(cell) -> None:
    cells = [
        cell("seed=0", "weight_decay=0", "lr=0.001"),
        cell("seed=1", "weight_decay=2", "lr=0.01", "init_scale=2"),
        cell("seed=0", "weight_decay=2", "lr=0.001", "optimizer.betas=[0.9,0.9]"),
    ]
    together = Pack(cells)
    together.advance(8)
    for i, one in enumerate(cells):
        alone = Pack([one])
        alone.advance(8)
        for name, parameter in alone.parameters.items():
            torch.testing.assert_close(
                together.parameters[name][i], parameter[0], rtol=1e-4, atol=1e-5
            )


@pytest.mark.parametrize("batches", ["epochs", "replacement"])
def test_draws_do_not_depend_on_the_pack(token_cell, batches) -> None:
    """Split, initial weights and batches, to the bit, at widths 1, 3 and 16 in any company, however
    the steps are cut."""
    cells = [token_cell(f"seed={s}", f"weight_decay={s}", f"batches={batches}") for s in range(16)]
    whole = Pack(cells)
    for members in ([4], [9, 4, 2]):
        pack = Pack([cells[i] for i in members])
        for i, seed in enumerate(members):
            assert torch.equal(pack.tasks[i].train, whole.tasks[seed].train)
            assert torch.equal(pack.tasks[i].test, whole.tasks[seed].test)
            for name, parameter in pack.cell_parameters(i).items():
                assert torch.equal(parameter, whole.cell_parameters(seed)[name])
    whole.advance(3)
    whole.advance(4)
    narrow = Pack([cells[9], cells[4]])
    narrow.advance(7)
    for i, seed in enumerate((9, 4)):
        assert torch.equal(narrow.streams[i].take(9), whole.streams[seed].take(9))


def assert_same_parameters(found, expected) -> None:
    for name, parameter in expected.items():
        if not name.endswith("qkv.bias"):  # a key's bias has no gradient but rounding
            torch.testing.assert_close(found[name], parameter, rtol=1e-3, atol=1e-5)


def test_cells_that_share_coefficients_are_updated_as_alone(token_cell) -> None:
    """The optimiser takes cells of equal coefficients together."""
    alike = [token_cell(f"seed={seed}", "weight_decay=0.5") for seed in (1, 2)]
    cells = [alike[0], token_cell("seed=3", "weight_decay=2", "lr=0.01"), alike[1]]
    pack = Pack(cells)
    lr, decay = rates([one.config for one in cells], 0, 1)
    assert [own for _, own, _ in pack.optimizer.groups.at(lr[0], decay[0])] == [[0, 2], [1]]
    pack.advance(4)
    for i, one in enumerate(cells):
        alone = Pack([one])
        alone.advance(4)
        assert_same_parameters(pack.cell_parameters(i), alone.cell_parameters(0))


def test_a_pack_trains_the_shortcut_a_plain_loop_the_plain_module(token_cell) -> None:
    one = token_cell("weight_decay=0.5")
    pack, plain = Pack([one]), initial_network(one)
    assert type(pack.template) is not type(plain)
    settings = one.config.optimizer
    optimizer = torch.optim.AdamW(
        plain.parameters(), settings.lr, tuple(settings.betas), weight_decay=0.5
    )
    plain_loop(one, optimizer, plain, 8)
    pack.advance(8)
    assert_same_parameters(pack.cell_parameters(0), dict(plain.named_parameters()))


def test_another_seed_means_other_weights_and_batches(cell) -> None:
    pack = Pack([cell("seed=0"), cell("seed=1")])
    for name, (first, second) in pack.parameters.items():
        assert not torch.equal(first, second), name
    assert not torch.equal(*(stream.take(3) for stream in pack.streams))


def test_arms_with_one_seed_are_paired(cell) -> None:
    left, right = Pack([cell("weight_decay=0.1")]), Pack([cell("weight_decay=0.3", "lr=0.1")])
    for name in left.parameters:
        assert torch.equal(left.parameters[name], right.parameters[name])
    assert torch.equal(left.streams[0].take(9), right.streams[0].take(9))


def test_initial_scale_multiplies_every_parameter(cell) -> None:
    one, eight = initial_network(cell("init_scale=1")), initial_network(cell("init_scale=8"))
    for small, large in zip(one.parameters(), eight.parameters(), strict=True):
        assert torch.equal(8 * small, large)


def test_making_a_network_leaves_the_global_generator_alone(cell) -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    initial_network(cell())
    assert torch.equal(torch.rand(3), expected)


def test_chunks_cover_the_way() -> None:
    assert list(chunks(3, 3, 50)) == []
    assert list(chunks(0, 120, 50)) == [50, 50, 20]
