"""κ of hidden layers against the Hessian by brute force, and in runs."""

import itertools

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from grokpipe.archs.mlp import MLP
from grokpipe.cell import Cell
from grokpipe.losses import PER_SAMPLE
from grokpipe.measures import hidden_flatness
from grokpipe.measures._checks import checked
from grokpipe.testing.components import check_measure
from grokpipe.training.evaluate import Evaluator
from grokpipe.training.pack import Pack

N, SIZES, C = 5, [3, 4, 2], 3


def problem() -> tuple[MLP, dict[str, Tensor], Tensor, Tensor]:
    torch.manual_seed(0)
    network = MLP(SIZES, C, 2.0, "softplus").double()
    parameters = {name: p.detach() for name, p in network.named_parameters()}
    return network, parameters, torch.randn(N, 3, dtype=torch.float64), torch.arange(N) % C


def by_hessian(name: str, loss: str) -> float:
    """Σ_{s,s'} ⟨w_s, w_s'⟩ Tr H_{s,s'} for the weights of a layer."""
    network, parameters, inputs, labels = problem()

    def mean_loss(weight: Tensor) -> Tensor:
        logits, _ = functional_call(network, parameters | {name: weight}, (inputs,))
        return PER_SAMPLE[loss](logits, labels).mean()

    weight = parameters[name]
    hessian = torch.autograd.functional.hessian(mean_loss, weight)
    traces = torch.einsum("aibi->ab", hessian)
    return ((weight @ weight.T) * traces).sum().item()


@pytest.mark.parametrize("loss", PER_SAMPLE)
def test_the_average_over_all_signs_is_the_hessians(loss: str) -> None:
    network, parameters, inputs, labels = problem()
    sums = [0.0, 0.0]
    patterns = [*itertools.product((-1.0, 1.0), repeat=4)]
    for pattern in patterns:

        def signs(phi: Tensor, pattern: tuple[float, ...] = pattern) -> Tensor:
            return torch.tensor(pattern[: phi.shape[1]], dtype=phi.dtype).expand_as(phi)

        values = hidden_flatness.kappas(
            network, parameters, inputs, lambda z: PER_SAMPLE[loss](z, labels), signs
        )
        sums = [a + value.mean().item() / len(patterns) for a, value in zip(sums, values)]
    expected = [by_hessian("hidden.1.weight", loss), by_hessian("hidden.0.weight", loss)]
    assert sums == pytest.approx(expected, rel=1e-9)
    assert not any(module._forward_hooks for module in network.modules())


def test_signs_are_fair_and_of_their_generator() -> None:
    draw = lambda: hidden_flatness.signs(torch.Generator().manual_seed(3), torch.zeros(200, 50))  # noqa: E731
    drawn = draw()
    assert torch.equal(drawn, draw()) and set(drawn.unique().tolist()) == {-1.0, 1.0}
    assert abs(drawn.mean().item()) < 0.05


def test_a_run_logs_each_hidden_layer(cell) -> None:
    """Of an MLP in training precision: the estimate on 64 images is close to the mean of many."""
    one = cell("measures.names=[hidden_flatness]", "init_scale=1", "arch.activation=softplus")
    pack = Pack([one])
    evaluator = Evaluator.of(one.config, pack.tasks[0])
    snapshot = evaluator.snapshot(pack.outputs(0))
    row = checked(hidden_flatness.measure(snapshot), "hidden_flatness")
    assert [*row] == ["flatness/kappa_hidden/1", "flatness/kappa_hidden/2"]
    task, network = pack.tasks[0], snapshot.network
    assert network is not None
    images, labels = task.inputs[task.train].double(), task.labels[task.train]

    def losses(logits: Tensor) -> Tensor:
        return PER_SAMPLE[one.config.loss](logits, labels)

    draws = torch.Generator().manual_seed(9)
    many = [
        hidden_flatness.kappas(
            network, snapshot.parameters, images, losses,
            lambda phi: hidden_flatness.signs(draws, phi),
        )
        for _ in range(30)
    ]  # fmt: skip
    for value, layer in zip(row.values(), zip(*many)):
        assert value == pytest.approx(torch.stack(layer).mean().item(), rel=0.3)


@pytest.mark.parametrize("task", ["task=mod_add", "task=equations"])
def test_layers_that_act_on_several_rows_have_none(compose, task: str) -> None:
    """Also of a network with buffers."""
    small = ["task.p=7", "arch.width=8", "arch.heads=2", "arch.feedforward=12", "batch_size=8"]
    one = Cell.of(compose(task, *small, "measures.names=[hidden_flatness]"))
    pack = Pack([one])
    row = Evaluator.of(one.config, pack.tasks[0]).row(pack.outputs(0))
    assert str(row["flatness/kappa_hidden/1"]) == "nan"


def test_it_is_a_measure() -> None:
    check_measure("hidden_flatness")


def test_a_layer_that_is_called_twice_has_none() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.shared, self.own, self.head = nn.Linear(3, 3), nn.Linear(3, 3), nn.Linear(3, 2)

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            z = self.own(self.shared(self.shared(x)).tanh()).tanh()
            return self.head(z), z

    network = Twice()
    values = hidden_flatness.kappas(
        network, dict(network.named_parameters()), torch.randn(4, 3),
        lambda z: functional.cross_entropy(z, torch.zeros(4, dtype=torch.int64), reduction="none"),
        torch.ones_like,
    )  # fmt: skip
    assert len(values) == 1
