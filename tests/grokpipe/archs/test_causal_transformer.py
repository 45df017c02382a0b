"""The causal Transformer against PyTorch's encoder, and its shortcut against itself."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.nn import functional

from grokpipe.archs import causal_transformer
from grokpipe.archs.causal_transformer import (
    CausalTransformer,
    Config,
    ShortcutCausalTransformer,
    sinusoidal,
)
from grokpipe.errors import InputError
from grokpipe.tasks import Task, equations
from grokpipe.testing.cells import cells
from grokpipe.testing.components import check_arch
from grokpipe.testing.training import check_gradients
from grokpipe.training.pack import Pack

SMALL = {"name": "causal_transformer", "layers": 2, "width": 12, "heads": 3, "feedforward": 20}
P = 5


def task(p: int = P) -> Task:
    return equations.load(equations.Config("equations", p, 0.5), torch.Generator())


def network(kind: type[CausalTransformer] = CausalTransformer, **changes) -> CausalTransformer:
    torch.manual_seed(0)
    made = kind(Config(**SMALL | changes), task()).double()
    with torch.no_grad():  # norms away from their special initial values
        for parameter in made.parameters():
            parameter.add_(torch.randn_like(parameter) / 10)
    return made


class Reference(nn.Module):
    """The same model, built from PyTorch's encoder, with biases of zero."""

    def __init__(self, config: Config):
        super().__init__()
        self.embedding = nn.Embedding(task().classes, config.width)
        layer = nn.TransformerEncoderLayer(
            config.width, config.heads, config.feedforward, dropout=0.0, batch_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, config.layers, enable_nested_tensor=False)
        self.head = nn.Linear(config.width, task().classes)
        self.mask = nn.Transformer.generate_square_subsequent_mask(6, dtype=torch.float64)

    def forward(self, tokens: Tensor, positions: Tensor) -> Tensor:
        return self.head(self.encoder(self.embedding(tokens) + positions, self.mask))


NAMES = {
    "attention.qkv.weight": "self_attn.in_proj_weight", "attention.out": "self_attn.out_proj",
    "up": "linear1", "down": "linear2", "blocks.": "encoder.layers.",
}  # fmt: skip


def reference_name(name: str) -> str:
    for ours, theirs in NAMES.items():
        name = name.replace(ours, theirs)
    return name


@pytest.mark.parametrize("layers", [1, 2])
def test_agrees_with_pytorchs_encoder(layers: int) -> None:
    ours = network(layers=layers)
    theirs = Reference(Config(**SMALL | {"layers": layers})).double()
    missing, unexpected = theirs.load_state_dict(
        {reference_name(n): p for n, p in ours.named_parameters()}, strict=False
    )
    assert not unexpected and all(name.endswith("bias") for name in missing)
    for name in missing:
        nn.init.zeros_(theirs.get_parameter(name))
    tokens, labels = task().inputs, task().labels
    logits, features = ours(tokens)
    expected = theirs(tokens, ours.positions)[:, 4:]  # at = and at the answer
    torch.testing.assert_close(logits, expected, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(logits, features @ ours.head.weight.T)
    for found in (logits, expected):
        functional.cross_entropy(found.flatten(0, 1), labels.flatten()).backward()
    gradients = {name: p.grad for name, p in theirs.named_parameters()}
    for name, parameter in ours.named_parameters():
        wanted = gradients[reference_name(name)]
        torch.testing.assert_close(parameter.grad, wanted, rtol=1e-9, atol=1e-12)


def test_positions_are_those_of_the_paper() -> None:
    rows = sinusoidal(6, 8)
    for i, j in ((0, 0), (0, 1), (3, 4), (5, 7)):
        angle = i / 10_000 ** ((j - j % 2) / 8)
        wanted = math.cos(angle) if j % 2 else math.sin(angle)
        assert rows[i, j].item() == pytest.approx(wanted, abs=1e-6)


def test_initial_weights_are_pytorchs() -> None:
    torch.manual_seed(0)
    made = causal_transformer.build(Config(**SMALL | {"width": 128, "heads": 4}), task(97))
    assert made.embedding.weight.std().item() == pytest.approx(1, rel=0.02)
    for name, weight in made.named_parameters():
        if "norm" in name:
            assert weight.eq(1.0 if name.endswith("weight") else 0.0).all()
        elif name != "embedding.weight":
            bound = weight.shape[1] ** -0.5
            assert weight.abs().max() <= bound
            assert weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.03)
    with_bias = {name for name, _ in made.named_parameters() if name.endswith("bias")}
    assert all("norm" in name for name in with_bias)


def step_of_two(network: CausalTransformer, rows: int) -> dict[str, Tensor]:
    """Logits, features, loss and gradients of two cells with random parameters, stacked as in a
    pack."""
    draws = torch.Generator().manual_seed(2)
    parameters = {
        name: torch.randn(2, *p.shape, generator=draws, dtype=torch.float64) / 2
        for name, p in network.named_parameters()
    }
    chosen = torch.randint(P * P, (2, rows), generator=draws)  # not all numbers where there are few
    tokens, labels = task().inputs[chosen], task().labels[chosen]

    def objective(parameters, tokens, labels):
        logits, features = functional_call(network, parameters, (tokens,))
        loss = functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
        return loss, {"logits": logits, "features": features, "loss": loss}

    gradients, results = vmap(grad(objective, has_aux=True))(parameters, tokens, labels)
    return results | gradients


@pytest.mark.parametrize("rows", [20, 1])
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_the_shortcut_is_exact(layers: int, rows: int) -> None:
    """Also under vmap, which trains packs."""
    config = Config(**SMALL | {"layers": layers})
    plain = step_of_two(CausalTransformer(config, task()).double(), rows)
    short = step_of_two(ShortcutCausalTransformer(config, task()).double(), rows)
    torch.testing.assert_close(short, plain, rtol=1e-9, atol=1e-13)
    assert all(value.abs().max() > 1e-6 for value in plain.values())


def test_the_shortcut_needs_no_vmap() -> None:
    plain, short = network(), network(ShortcutCausalTransformer)
    short.load_state_dict(plain.state_dict())
    for ours, expected in zip(short(task().inputs), plain(task().inputs), strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-10, atol=1e-12)


def test_what_varies_with_one_number_stays_a_table() -> None:
    """Through the first block: one row at `eos`, a row a number at `a` and `+`."""
    made = network(ShortcutCausalTransformer)
    stream = made._embedded(task().inputs)
    assert [len(part.rows) for part in stream] == [1, P, 1, P, 1, P]
    sizes: list[list[int]] = []
    handle = made.blocks[0].norm2.register_forward_hook(lambda m, i, o: sizes.append([len(o)]))
    made(task().inputs)
    handle.remove()
    assert sizes == [[1 + P + P + 3 * P * P]]


PACK = [
    "task=equations", "arch=causal_transformer", "task.p=5", "arch.width=8", "arch.heads=2",
    "arch.feedforward=12",
]  # fmt: skip


def test_gradients_of_a_pack_are_those_of_plain_networks() -> None:
    check_gradients(Pack(cells(PACK)), "the pack")


@pytest.mark.slow(seconds=30)
def test_packs_train_as_the_plain_network() -> None:
    """Resuming, narrowing, and the step as it is compiled, in float64."""
    check_arch("causal_transformer", *PACK)


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        (
            ["task=equations", "arch=mlp", "init_scale=1"],
            "arch=mlp: reads out one position rather than 2, so not with task=equations; valid: "
            "causal_transformer",
        ),
        (
            ["task=mod_add", "arch=causal_transformer", "init_scale=null"],
            "arch=causal_transformer: takes tokens with a label at each of several positions, so "
            "not with task=mod_add; valid: mlp, text_transformer, transformer",
        ),
        (
            ["arch=causal_transformer", "init_scale=null"],
            "arch=causal_transformer: takes tokens with a label at each of several positions, so "
            "not with task=mnist; valid: ",
        ),
        (
            ["task=equations", "arch.heads=3"],
            "arch.heads=3: must divide arch.width=128",
        ),
    ],
)
def test_what_does_not_fit_is_one_line(compose, overrides: list[str], line: str) -> None:
    from grokpipe.cell import Cell

    with pytest.raises(InputError) as raised:
        Cell.of(compose(*overrides))
    assert str(raised.value).startswith(line) and "\n" not in str(raised.value)
