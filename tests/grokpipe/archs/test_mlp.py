"""The multilayer perceptron on images and on tokens."""

import pytest
import torch
from torch import nn

from grokpipe.archs import mlp
from grokpipe.archs._activations import ACTIVATIONS
from grokpipe.archs.mlp import Config
from grokpipe.cell import Cell
from grokpipe.errors import InputError
from grokpipe.tasks import mnist, mod_add


def test_on_tokens_it_is_embeddings_in_a_row_then_an_mlp() -> None:
    """E7 of Truong et al. (2026): 128 + 128 → 512 → 128 → p."""
    task = mod_add.load(mod_add.Config("mod_add", 41, 0.2), torch.Generator())
    torch.manual_seed(0)
    made = mlp.build(Config("mlp", 512, 2, 1.0, feature_width=128, embedding=128), task)
    assert [(layer.in_features, layer.out_features) for layer in made.hidden] == [
        (256, 512), (512, 128),
    ]  # fmt: skip
    logits, features = made(task.inputs[:9])
    assert (logits.shape, features.shape) == ((9, 41), (9, 128))
    table = made.embedding.weight
    rows = torch.cat([table[task.inputs[:9, 0]], table[task.inputs[:9, 1]]], 1)
    plain = nn.Sequential(made.hidden[0], nn.ReLU(), made.hidden[1], nn.ReLU())
    torch.testing.assert_close(plain(rows), features)
    torch.testing.assert_close(made.head(plain(rows)), logits)


def test_the_scale_multiplies_embeddings_too() -> None:
    task = mod_add.load(mod_add.Config("mod_add", 5, 0.2), torch.Generator())
    networks = []
    for scale in (1.0, 4.0):
        torch.manual_seed(0)
        networks.append(mlp.build(Config("mlp", 6, 1, scale), task))
    for small, large in zip(*(network.parameters() for network in networks)):
        torch.testing.assert_close(4 * small, large)
    assert networks[0].embedding.embedding_dim == 6  # null: as wide as a hidden layer


@pytest.mark.parametrize("name", ["relu", "gelu", "softplus", "smooth_leaky_relu"])
def test_widths_and_activation(compose, name: str) -> None:
    """The theorem's pyramid."""
    config = compose(
        "arch=mlp", "arch.widths=[20, 6]", f"arch.activation={name}", "train_size=20",
        "batch_size=10",
    )  # fmt: skip
    task = mnist.load(config.task, torch.Generator())
    torch.manual_seed(0)
    made = mlp.build(config.arch, task)
    sizes = [(layer.in_features, layer.out_features) for layer in [*made.hidden, made.head]]
    assert sizes == [(784, 20), (20, 6), (6, 10)]
    z = task.inputs[:9].flatten(1)
    for layer in made.hidden:
        z = ACTIVATIONS[name](layer(z))
    logits, features = made(task.inputs[:9])
    torch.testing.assert_close(features, z)
    torch.testing.assert_close(logits, made.head(z))


def test_an_activation_on_tokens() -> None:
    task = mod_add.load(mod_add.Config("mod_add", 5, 0.2), torch.Generator())
    made = mlp.build(Config("mlp", 6, 1, 1.0, activation="softplus", widths=[7, 3]), task)
    assert [layer.out_features for layer in made.hidden] == [7, 3]
    assert made.embedding.embedding_dim == 6
    assert made(task.inputs)[1].min() > 0


def test_neutral_values_keep_the_key(compose) -> None:
    """The key is that of before there were widths and activations."""
    plain = ("arch.depth=2", "arch.width=12", "train_size=64", "batch_size=16")
    for override, same in (
        ("arch.widths=null", True),
        ("arch.activation=relu", True),
        ("arch.widths=[12, 12]", False),
        ("arch.activation=gelu", False),
    ):
        assert (Cell.of(compose(*plain, override)).key == "acfab5974e8114f9") is same


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        (
            ["arch.widths=[20, 6]", "arch.feature_width=5"],
            "arch.feature_width=5: must be null with arch.widths=[20, 6], whose last value is the "
            "width of the features",
        ),
        (["arch.widths=[]"], "arch.widths=[]: must have at least 1 value, or be null"),
        (["arch.widths=[20, 0]"], "arch.widths=[20, 0]: must be ≥ 1"),
        (
            ["arch.activation=tanh"],
            "arch.activation=tanh: must be one of relu, gelu, softplus, smooth_leaky_relu",
        ),
    ],
)
def test_wrong_widths_and_activations_are_one_line(compose, overrides, line) -> None:
    with pytest.raises(InputError) as refusal:
        Cell.of(compose(*overrides))
    assert str(refusal.value) == line
