"""The Transformer on patches against PyTorch's own encoder, and its shortcut against itself."""

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.nn import functional

from grokpipe.archs import image_transformer
from grokpipe.archs.image_transformer import Config, ImageTransformer, ShortcutImageTransformer
from grokpipe.tasks import Task
from grokpipe.training.pack import Pack

CLASSES = 5
SIZES = [(1, 8, 12), (3, 6, 6)]


def config(size: tuple[int, int, int], layers: int = 1, scale: float = 1.0) -> Config:
    return Config("image_transformer", layers, 24, 3, 40, size[1] // 2, scale)


def stirred(network: nn.Module) -> nn.Module:
    """Biases, positions and norms away from their special initial values."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) / 10)
    return network.double()


class Reference(nn.Module):
    """The same model, built from PyTorch's encoder and `unfold`."""

    def __init__(self, network: ImageTransformer, layers: int):
        super().__init__()
        self.network = network
        layer = nn.TransformerEncoderLayer(24, 3, 40, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False).double()
        names = {
            "attention.qkv.weight": "self_attn.in_proj_weight",
            "attention.qkv.bias": "self_attn.in_proj_bias",
            "attention.out": "self_attn.out_proj",
            "up": "linear1",
            "down": "linear2",
        }
        state = {}
        for name, parameter in network.blocks.state_dict().items():
            for ours, theirs in names.items():
                name = name.replace(ours, theirs)
            state[f"layers.{name}"] = parameter
        self.encoder.load_state_dict(state)

    def forward(self, images: Tensor) -> Tensor:
        convolution = self.network.patches
        patch = convolution.kernel_size[0]
        raw = functional.unfold(images, patch, stride=patch).transpose(1, 2)
        x = raw @ convolution.weight.flatten(1).T + convolution.bias
        cls = self.network.cls.expand(len(images), 1, -1)
        z = self.encoder(torch.cat([cls, x], 1) + self.network.positions)[:, 0]
        return self.network.head(z)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("layers", [1, 2])
def test_agrees_with_pytorchs_encoder(size: tuple[int, int, int], layers: int) -> None:
    torch.manual_seed(0)
    ours = stirred(ImageTransformer(config(size, layers), size, CLASSES))
    theirs = Reference(ours, layers)
    images = torch.randn(7, *size, dtype=torch.float64)
    logits, features = ours(images)
    torch.testing.assert_close(logits, theirs(images), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(ours.head(features), logits)
    loss = logits.square().sum()
    of_ours = torch.autograd.grad(loss, [*ours.blocks.parameters(), ours.cls])
    loss = theirs(images).square().sum()
    renamed = dict(theirs.encoder.named_parameters())
    of_theirs = torch.autograd.grad(loss, [*renamed.values(), ours.cls])
    # PyTorch's layer lists its parameters in another order: norms last
    for own in of_ours:
        assert any(
            own.shape == other.shape and torch.allclose(own, other, rtol=1e-9, atol=1e-11)
            for other in of_theirs
        )


def test_the_published_size() -> None:
    torch.manual_seed(0)
    rows = torch.arange(6)
    task = Task(torch.randn(6, 28, 28), rows % 3, rows[:4], rows[4:], 10, "hash")
    published = Config("image_transformer", 1, 128, 4, 256, 4, 1.0)
    network = image_transformer.build(published, task)
    assert network.patches.weight.shape == (128, 1, 4, 4)
    assert network.positions.shape == (50, 128) and not network.positions.any()
    assert network.cls.std().item() == pytest.approx(1, abs=0.2)
    in_width = 128 * 17 + 51 * 128  # patches, CLS and positions
    encoder = 4 * 128 * 129 + 128 * 257 + 256 + 4 * 128 + 128 * 256
    assert sum(p.numel() for p in network.parameters()) == in_width + encoder + 1290


def test_the_scale_multiplies_feed_forward_networks_and_head() -> None:
    size = SIZES[0]
    networks = []
    for scale in (1.0, 8.0):
        torch.manual_seed(0)
        networks.append(ImageTransformer(config(size, 2, scale), size, CLASSES))
    scaled = {"up", "down", "head"}
    pairs = zip(*(network.named_parameters() for network in networks), strict=True)
    found = set()
    for (name, small), (_, large) in pairs:
        factor = 8 if scaled & {*name.split(".")} else 1
        found |= scaled & {*name.split(".")}
        torch.testing.assert_close(large, factor * small)
    assert found == scaled


def step_of_two(network: ImageTransformer, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """Outputs and gradients of two cells with random parameters, stacked as in a pack."""
    draws = torch.Generator().manual_seed(2)
    parameters = {
        name: torch.randn(2, *p.shape, generator=draws, dtype=torch.float64) / 2
        for name, p in network.named_parameters()
    }

    def objective(parameters, images, labels):
        logits, features = functional_call(network, parameters, (images,))
        return functional.cross_entropy(logits, labels), {"logits": logits, "features": features}

    gradients, results = vmap(grad(objective, has_aux=True))(parameters, images, labels)
    return results | gradients


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_shortcut_is_exact(size: tuple[int, int, int]) -> None:
    """Within 1e-12 of the largest entry, gradients included."""
    draws = torch.Generator().manual_seed(1)
    images = torch.randn(2, 9, *size, generator=draws, dtype=torch.float64)
    labels = torch.randint(CLASSES, (2, 9), generator=draws)
    plain = step_of_two(ImageTransformer(config(size), size, CLASSES).double(), images, labels)
    short_network = ShortcutImageTransformer(config(size), size, CLASSES).double()
    short = step_of_two(short_network, images, labels)
    assert short.keys() == plain.keys()
    for name, value in plain.items():
        scale = value.abs().max()
        assert scale > 1e-6, name
        assert (short[name] - value).abs().max() <= 1e-12 * scale, name


def test_the_bias_of_keys_has_no_gradient() -> None:
    """It adds one number to all scores of a head."""
    size = SIZES[0]
    network = stirred(ShortcutImageTransformer(config(size), size, CLASSES))
    logits, _ = network(torch.randn(4, *size, dtype=torch.float64))
    logits.square().sum().backward()
    _, of_keys, of_values = network.blocks[0].attention.qkv.bias.grad.chunk(3)
    assert not of_keys.any() and of_values.abs().min() > 0


def test_packs_have_the_shortcut_for_one_layer(compose) -> None:
    """Where a pack computes what the plain module does."""
    from grokpipe.cell import Cell
    from tests.helpers.cells import network

    small = ("arch=image_transformer", "train_size=20", "batch_size=10", "arch.width=8")
    pack = Pack([Cell.of(compose(*small, f"seed={seed}")) for seed in (0, 1)])
    assert type(pack.template) is ShortcutImageTransformer
    pack.advance(2)
    outputs, inputs = pack.outputs(1), pack.data.inputs[:16]
    logits, features = network(pack, 1)(inputs)
    torch.testing.assert_close(outputs.logits[:16], logits, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(outputs.features[:16], features, rtol=1e-4, atol=1e-4)
    deep = Pack([Cell.of(compose(*small, "arch.layers=2"))])
    assert type(deep.template) is ImageTransformer
