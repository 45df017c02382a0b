"""The Transformer against PyTorch's own layers, and its shortcut against itself."""

import itertools

import pytest
import torch
from torch import nn
from torch.func import functional_call, grad, vmap
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from grokpipe.archs import transformer
from grokpipe.archs.transformer import Config, ShortcutTransformer, Transformer
from tests.helpers.cli import ROOT

PLAIN = {
    "name": "transformer", "layers": 1, "width": 24, "heads": 3, "feedforward": 40, "tokens": 2,
    "norm": "post", "activation": "gelu", "embedding": "unit", "init_scale": 1.0,
}  # fmt: skip
VARIANTS = [
    {"tokens": tokens, "norm": norm, "activation": activation}
    for tokens, norm, activation in itertools.product((2, 3), ("post", "pre"), ("gelu", "relu"))
]
P, CLASSES = 7, 5


def network(kind: type[Transformer] = Transformer, **changes) -> Transformer:
    torch.manual_seed(0)
    made = kind(Config(**PLAIN | changes), P, CLASSES).double()
    with torch.no_grad():  # biases and norms away from their special initial values
        for parameter in made.parameters():
            parameter.add_(torch.randn_like(parameter) / 10)
    return made


def some_pairs() -> tuple[torch.Tensor, torch.Tensor]:
    draws = torch.Generator().manual_seed(1)
    pairs = torch.randint(P, (30, 2), generator=draws)  # with repeated pairs, not all tokens
    return pairs, torch.randint(CLASSES, (30,), generator=draws)


class Reference(nn.Module):
    """The same model, built from PyTorch's encoder."""

    def __init__(self, config: Config):
        super().__init__()
        self.length = config.tokens
        self.embedding = nn.Embedding(P + config.tokens - 2, config.width)
        self.positions = nn.Parameter(torch.zeros(config.tokens, config.width))
        layer = nn.TransformerEncoderLayer(
            config.width, config.heads, config.feedforward, dropout=0.0,
            activation=config.activation, batch_first=True, norm_first=config.norm == "pre",
        )  # fmt: skip
        self.encoder = nn.TransformerEncoder(layer, config.layers, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(config.width)
        self.head = nn.Linear(config.width, CLASSES)
        later = nn.Transformer.generate_square_subsequent_mask(config.tokens, dtype=torch.float64)
        self.mask = later if config.causal else None

    def forward(self, pairs: torch.Tensor) -> torch.Tensor:
        equals = torch.full((len(pairs), self.length - 2), P)
        x = self.embedding(torch.cat([pairs, equals], 1)) + self.positions
        return self.head(self.norm(self.encoder(x, self.mask)[:, -1]))


NAMES = {
    "attention.qkv.weight": "self_attn.in_proj_weight",
    "attention.qkv.bias": "self_attn.in_proj_bias",
    "attention.out": "self_attn.out_proj",
    "up": "linear1",
    "down": "linear2",
}


def reference_name(name: str) -> str:
    for ours, theirs in NAMES.items():
        name = name.replace(ours, theirs)
    return name.replace("blocks.", "encoder.layers.")


@pytest.mark.parametrize("changes", VARIANTS, ids=str)
@pytest.mark.parametrize(("layers", "causal"), [(1, False), (2, False), (1, True), (2, True)])
def test_agrees_with_pytorchs_encoder(changes, layers, causal) -> None:
    changes = changes | {"layers": layers, "causal": causal}
    ours = network(**changes)
    theirs = Reference(Config(**PLAIN | changes)).double()
    theirs.load_state_dict({reference_name(n): p for n, p in ours.state_dict().items()})
    pairs, labels = some_pairs()
    logits, _ = ours(pairs)
    torch.testing.assert_close(logits, theirs(pairs), rtol=1e-10, atol=1e-12)
    functional.cross_entropy(logits, labels).backward()
    functional.cross_entropy(theirs(pairs), labels).backward()
    gradients = {name: p.grad for name, p in theirs.named_parameters()}
    for name, parameter in ours.named_parameters():
        expected = gradients[reference_name(name)]
        torch.testing.assert_close(parameter.grad, expected, rtol=1e-9, atol=1e-12)


SMALL = {"width": 8, "heads": 2, "feedforward": 12}
MANY = list(itertools.product((1, 2, 3, 4), (2, 3), ("post", "pre"), (False, True)))


def step_of_two(network: Transformer, rows: int) -> dict[str, torch.Tensor]:
    """Logits, features, loss and gradients of two cells with random parameters, stacked as in a
    pack."""
    draws = torch.Generator().manual_seed(2)
    parameters = {
        name: torch.randn(2, *p.shape, generator=draws, dtype=torch.float64) / 2
        for name, p in network.named_parameters()
    }
    pairs = torch.randint(P, (2, rows, 2), generator=draws)  # not all tokens where there are few
    labels = torch.randint(CLASSES, (2, rows), generator=draws)

    def objective(parameters, pairs, labels):
        logits, features = functional_call(network, parameters, (pairs,))
        loss = functional.cross_entropy(logits, labels)
        return loss, {"logits": logits, "features": features, "loss": loss}

    gradients, results = vmap(grad(objective, has_aux=True))(parameters, pairs, labels)
    return results | gradients


@pytest.mark.parametrize(("layers", "tokens", "norm", "causal"), MANY)
def test_the_shortcut_is_exact(layers, tokens, norm, causal) -> None:
    """Also under vmap, which trains packs; with 5 samples tables of 7 tokens do not pay."""
    config = Config(
        **PLAIN | SMALL | {"layers": layers, "tokens": tokens, "norm": norm, "causal": causal}
    )
    for rows in (20, 5) if layers < 3 else (20,):
        plain = step_of_two(Transformer(config, P, CLASSES).double(), rows)
        short = step_of_two(ShortcutTransformer(config, P, CLASSES).double(), rows)
        torch.testing.assert_close(short, plain, rtol=1e-9, atol=1e-13)
        assert all(value.abs().max() > 1e-6 for value in plain.values())


def test_the_shortcut_needs_no_vmap() -> None:
    changes = {"layers": 2, "tokens": 3, "activation": "relu", "causal": True}
    plain, short = network(**changes), network(ShortcutTransformer, **changes)
    short.load_state_dict(plain.state_dict())
    pairs, _ = some_pairs()
    for ours, expected in zip(short(pairs), plain(pairs), strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-10, atol=1e-12)


def products(kind: type[Transformer], **changes) -> int:
    """Count the floating-point operations of a step's matrix products at the size published."""
    sizes = {"width": 128, "heads": 4, "feedforward": 512}
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        made = kind(Config(**PLAIN | sizes | changes), 97, 97)
        logits, _ = made(torch.zeros(512, 2, dtype=torch.int64))
        logits.sum().backward()
    return counter.get_total_flops()


def test_what_the_shortcut_saves_is_as_documented() -> None:
    table = [
        "| layers | 2 tokens | 2 tokens, causal | 3 tokens | 3 tokens, causal |",
        "|---:|---:|---:|---:|---:|",
    ]
    for layers in (1, 2, 3, 4):
        ratios = [
            products(Transformer, layers=layers, tokens=tokens, causal=causal)
            / products(ShortcutTransformer, layers=layers, tokens=tokens, causal=causal)
            for tokens, causal in itertools.product((2, 3), (False, True))
        ]
        table.append(" | ".join([f"| {layers}", *(f"{ratio:.2f}" for ratio in ratios)]) + " |")
    assert "\n".join(table) in (ROOT / "docs" / "packs.md").read_text(encoding="utf-8")


def test_packs_have_the_shortcut_at_any_depth() -> None:
    from grokpipe.tasks import mod_add

    task = mod_add.load(mod_add.Config("mod_add", P, 0.5), torch.Generator())
    for layers in (1, 2):
        config = Config(**PLAIN | {"layers": layers})
        assert type(transformer.build_shortcut(config, task)) is ShortcutTransformer
        assert type(transformer.build(config, task)) is Transformer


def test_without_a_mask_cells_keep_their_keys(compose) -> None:
    """The key is that of before there was a mask."""
    from grokpipe.cell import Cell

    chosen = ("task=mod_add", "task.p=11")
    for causal, same in ((None, True), ("false", True), ("true", False)):
        override = () if causal is None else (f"arch.causal={causal}",)
        assert (Cell.of(compose(*chosen, *override)).key == "2f5e5fd1b60c37bb") is same


@pytest.mark.parametrize(("embedding", "std"), [("unit", 1.0), ("scaled", 1024**-0.5)])
def test_initial_embeddings(embedding: str, std: float) -> None:
    torch.manual_seed(0)
    made = Transformer(Config(**PLAIN | {"embedding": embedding, "width": 1024, "heads": 1}), 50, 3)
    assert made.embedding.weight.std().item() == pytest.approx(std, rel=0.02)
    assert made.positions.std().item() == pytest.approx(std, rel=0.05)


def test_the_published_size_has_the_initial_norm_of_the_trial_runs() -> None:
    """117 with unit embeddings, 31 with scaled ones (post- and pre-norm, p = 97)."""
    sizes = {"width": 128, "heads": 4, "feedforward": 512}
    for embedding, expected in (("unit", 116.5), ("scaled", 31.0)):
        torch.manual_seed(0)
        made = Transformer(Config(**PLAIN | sizes | {"embedding": embedding}), 97, 97)
        norm = torch.cat([p.flatten() for p in made.parameters()]).norm().item()
        assert norm == pytest.approx(expected, rel=0.02)


def test_the_scale_multiplies_every_parameter() -> None:
    torch.manual_seed(0)
    one = Transformer(Config(**PLAIN), P, CLASSES)
    torch.manual_seed(0)
    three = Transformer(Config(**PLAIN | {"init_scale": 3.0}), P, CLASSES)
    for small, large in zip(one.parameters(), three.parameters(), strict=True):
        torch.testing.assert_close(3 * small, large)
