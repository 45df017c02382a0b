"""The Transformer against PyTorch's own layers, and its one-layer shortcut against itself."""

import itertools

import pytest
import torch
from torch import nn
from torch.nn import functional

from grokpipe.archs import transformer
from grokpipe.archs.transformer import Config, OneLayerTransformer, Transformer

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

    def forward(self, pairs: torch.Tensor) -> torch.Tensor:
        equals = torch.full((len(pairs), self.length - 2), P)
        x = self.embedding(torch.cat([pairs, equals], 1)) + self.positions
        return self.head(self.norm(self.encoder(x)[:, -1]))


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
@pytest.mark.parametrize("layers", [1, 2])
def test_agrees_with_pytorchs_encoder(changes, layers) -> None:
    ours = network(layers=layers, **changes)
    theirs = Reference(Config(**PLAIN | changes | {"layers": layers})).double()
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


@pytest.mark.parametrize("changes", VARIANTS, ids=str)
def test_the_shortcut_is_exact(changes) -> None:
    plain, short = network(**changes), network(OneLayerTransformer, **changes)
    short.load_state_dict(plain.state_dict())
    pairs, labels = some_pairs()
    results = []
    for one in (plain, short):
        logits, features = one(pairs)
        loss = functional.cross_entropy(logits, labels)
        loss.backward()
        gradients = {name: p.grad for name, p in one.named_parameters()}
        results.append((logits.detach(), features.detach(), loss.detach(), gradients))
    for a, b in zip(*(result[:3] for result in results), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)
    for name, gradient in results[0][3].items():
        assert gradient is not None, name
        torch.testing.assert_close(results[1][3][name], gradient, rtol=1e-9, atol=1e-12)


def test_only_one_layer_has_the_shortcut() -> None:
    from grokpipe.tasks import mod_add

    task = mod_add.load(mod_add.Config("mod_add", P, 0.5), torch.Generator())
    for layers, kind in ((1, OneLayerTransformer), (2, Transformer)):
        config = Config(**PLAIN | {"layers": layers})
        assert type(transformer.build_shortcut(config, task)) is kind
        assert type(transformer.build(config, task)) is Transformer


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
