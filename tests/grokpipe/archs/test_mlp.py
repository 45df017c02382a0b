"""The multilayer perceptron on images and on tokens."""

import torch
from torch import nn

from grokpipe.archs import mlp
from grokpipe.archs.mlp import Config
from grokpipe.tasks import mod_add


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
