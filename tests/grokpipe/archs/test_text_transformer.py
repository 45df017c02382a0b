"""The text Transformer against attention written out, and its shortcut against it."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.nn import functional

from grokpipe.archs import text_transformer
from grokpipe.archs.text_transformer import Config, ShortcutTextTransformer, TextTransformer
from grokpipe.errors import InputError
from grokpipe.tasks import Task
from grokpipe.training.execution import Execution
from grokpipe.training.pack import Pack

SMALL = {"name": "text_transformer", "width": 12, "heads": 3, "feedforward": 20, "init_scale": 1.0}
PADDING, VOCABULARY, LENGTH, CLASSES = 0, 9, 7, 3


def sentences(rows: int = 12) -> Tensor:
    """Tokens (rows, LENGTH): of all lengths, from none to LENGTH, with repeated tokens."""
    draws = torch.Generator().manual_seed(1)
    tokens = torch.randint(1, VOCABULARY, (rows, LENGTH), generator=draws)
    ends = torch.arange(rows) % (LENGTH + 1)
    return tokens.masked_fill(torch.arange(LENGTH) >= ends[:, None], PADDING)


def task(padding: int | None = PADDING) -> Task:
    tokens, rows = sentences(), torch.arange(12)
    return Task(
        tokens, rows % CLASSES, rows[:8], rows[8:], CLASSES, "hash", VOCABULARY, padding=padding
    )


def network(kind: type[TextTransformer] = TextTransformer, padding: int | None = PADDING):
    torch.manual_seed(0)
    made = kind(Config(**SMALL), task(padding)).double()
    with torch.no_grad():  # biases, norms and positions away from their special initial values
        for parameter in made.parameters():
            parameter.add_(torch.randn_like(parameter) / 3)
    return made


def written_out(network: TextTransformer, sentence: list[int]) -> Tensor:
    """Features of one sentence without padding: attention of CLS, head by head, in a loop."""
    p = {name: value.detach() for name, value in network.named_parameters()}
    rows = [p["cls"], *(p["embedding.weight"][token] for token in sentence)]
    rows = [row + position for row, position in zip(rows, p["positions"])]
    weights = p["layer.self_attn.in_proj_weight"].chunk(3)
    biases = p["layer.self_attn.in_proj_bias"].chunk(3)
    size = SMALL["width"] // SMALL["heads"]
    mixed = []
    for head in range(SMALL["heads"]):
        own = slice(head * size, (head + 1) * size)
        q, k, v = (
            [weight[own] @ row + bias[own] for row in rows] for weight, bias in zip(weights, biases)
        )
        scores = [math.exp(float(q[0] @ key) / math.sqrt(size)) for key in k]
        mixed.append(sum(s / sum(scores) * value for s, value in zip(scores, v)))

    def norm(x: Tensor, name: str) -> Tensor:
        x = (x - x.mean()) / (x.var(correction=0) + 1e-5).sqrt()
        return x * p[f"layer.{name}.weight"] + p[f"layer.{name}.bias"]

    def linear(x: Tensor, name: str) -> Tensor:
        return p[f"layer.{name}.weight"] @ x + p[f"layer.{name}.bias"]

    x = norm(rows[0] + linear(torch.cat(mixed), "self_attn.out_proj"), "norm1")
    return norm(x + linear(linear(x, "linear1").clamp(min=0), "linear2"), "norm2")


@pytest.mark.parametrize("kind", [TextTransformer, ShortcutTextTransformer])
def test_features_are_those_of_sentences_alone(kind) -> None:
    """An empty sentence too, of which CLS attends to itself."""
    made, tokens = network(kind), sentences()
    logits, features = made(tokens)
    expected = [written_out(made, [t for t in row if t != PADDING]) for row in tokens.tolist()]
    torch.testing.assert_close(features, torch.stack(expected), rtol=1e-11, atol=1e-12)
    torch.testing.assert_close(logits, made.head(features))


def test_agrees_with_pytorchs_layer_and_its_mask() -> None:
    made, tokens = network(ShortcutTextTransformer), sentences()
    layer = nn.TransformerEncoderLayer(12, 3, 20, dropout=0.0, batch_first=True).double()
    layer.load_state_dict(made.layer.state_dict())
    x = torch.cat([made.cls.expand(12, 1, -1), made.embedding(tokens)], 1) + made.positions
    mask = torch.cat([torch.zeros(12, 1, dtype=torch.bool), tokens == PADDING], 1)
    expected = layer(x, src_key_padding_mask=mask)[:, 0]
    torch.testing.assert_close(made(tokens)[1], expected, rtol=1e-12, atol=1e-12)


def objective(network: TextTransformer):
    """Loss of a batch as a function of parameters, with all that is compared."""

    def function(parameters, tokens, labels):
        logits, features = functional_call(network, parameters, (tokens,))
        loss = functional.cross_entropy(logits, labels)
        return loss, {"logits": logits, "features": features, "loss": loss}

    return grad(function, has_aux=True)


@pytest.mark.parametrize("padding", [PADDING, None])
def test_the_shortcut_is_exact(padding) -> None:
    """Two cells with random parameters, stacked as in a pack, against the plain module of each."""
    draws = torch.Generator().manual_seed(2)
    short = network(ShortcutTextTransformer, padding)
    parameters = {
        name: torch.randn(2, *p.shape, generator=draws, dtype=torch.float64) / 2
        for name, p in short.named_parameters()
    }
    tokens = torch.stack([sentences(), sentences().flip(0)])
    labels = torch.randint(CLASSES, (2, 12), generator=draws)
    gradients, results = vmap(objective(short))(parameters, tokens, labels)
    stacked = gradients | results
    plain = objective(network(padding=padding))
    for cell in range(2):
        own = {name: p[cell] for name, p in parameters.items()}
        gradients, results = plain(own, tokens[cell], labels[cell])
        mine = {name: value[cell] for name, value in stacked.items()}
        torch.testing.assert_close(mine, gradients | results, rtol=0, atol=1e-12)
        assert all(value.abs().max() > 1e-6 for value in mine.values())
        assert padding is None or (mine["embedding.weight"][PADDING] == 0).all()


def test_a_pack_in_lockstep_and_in_turns(compose, tmp_path, monkeypatch) -> None:
    from grokpipe.cell import Cell

    monkeypatch.chdir(tmp_path)
    rows = [f"{a} {b} x{'!' * (a % 3)},{(a + b) % 2}\n" for a in range(5) for b in range(5)]
    (tmp_path / "made.csv").write_text("text,label\n" + "".join(rows))
    cells = [
        Cell.of(compose(
            "task=sentences", "task.path=made.csv", "train_size=16", "batch_size=8", "arch.width=8",
            "arch.heads=2", "arch.feedforward=8", "dtype=float64", f"seed={i}", f"weight_decay={i}",
            f"init_scale={1 + i}",
        ))
        for i in range(2)
    ]  # fmt: skip
    lockstep, turns = Pack(cells), Pack(cells, execution=Execution("turns"))
    for pack in (lockstep, turns):
        pack.advance(6)
    for name, parameter in lockstep.parameters.items():
        torch.testing.assert_close(turns.parameters[name], parameter, rtol=1e-9, atol=1e-11)
    for i in range(2):
        logits = lockstep.outputs(i).logits
        torch.testing.assert_close(turns.outputs(i).logits, logits, rtol=1e-9, atol=1e-9)


def test_initial_parameters() -> None:
    sizes = SMALL | {"width": 256, "heads": 4}
    torch.manual_seed(0)
    one = dict(TextTransformer(Config(**sizes), task()).named_parameters())
    torch.manual_seed(0)
    scaled = TextTransformer(Config(**sizes | {"init_scale": 3.0}), task())
    three = dict(scaled.named_parameters())
    larger = {name for name in one if not torch.equal(one[name], three[name])}
    layers = ("layer.linear1", "layer.linear2", "head")
    assert larger == {f"{layer}.{part}" for layer in layers for part in ("weight", "bias")}
    for name in larger:
        torch.testing.assert_close(three[name], 3 * one[name])
    assert three["cls"].std().item() == pytest.approx(1, rel=0.15)
    assert (three["positions"] == 0).all()
    assert (three["embedding.weight"][PADDING] == 0).all()


def test_heads_divide_the_width() -> None:
    with pytest.raises(InputError, match=r"^arch.heads=3: must divide arch.width=8$"):
        text_transformer.build(Config(**SMALL | {"width": 8}), task())
