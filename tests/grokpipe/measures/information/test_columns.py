"""The columns of the information measures: which are defined for which task, and what is shared."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from grokpipe.measures import Inputs, Outputs, Snapshot, information
from grokpipe.measures.information import bounds, codes, columns, compression, nhsic

N = 200


def snapshot(inputs: torch.Tensor | None = None, n: int = N) -> Snapshot:
    draws = torch.Generator().manual_seed(0)
    labels = torch.arange(n) % 4
    features = 2 * torch.eye(4, 6)[labels] + torch.randn(n, 6, generator=draws)
    outputs = Outputs(features, features[:, :4], labels)
    known = None if inputs is None else Inputs(inputs, torch.arange(len(inputs) - n, len(inputs)))
    return Snapshot(
        train=outputs, test=outputs, train_probe=features.double(), test_probe=features.double(),
        parameters={}, classes=4, loss="squared_error", inputs=known,
    )  # fmt: skip


def images(n: int = N + 50) -> torch.Tensor:
    return torch.randn(n, 3, 3, generator=torch.Generator().manual_seed(1))


def undefined(values: dict[str, float]) -> set[str]:
    return {name.removeprefix("information/") for name, v in values.items() if np.isnan(v)}


def test_each_column_is_of_its_method(monkeypatch: pytest.MonkeyPatch) -> None:
    one, x = snapshot(images()), torch.randn(N, 4, generator=torch.Generator().manual_seed(2))
    monkeypatch.setattr(codes, "codes_of", lambda test: x)
    found = information.measure(one)
    assert tuple(found) == information.COLUMNS
    assert undefined(found) == set()
    features, labels = one.test.features, one.test.labels
    norms = features.double().norm(dim=1)
    for name, scale in (("", 1.0), ("_scaled", norms.mean().item())):
        constants = (nhsic.Constants.of_inputs(images()[50:]), nhsic.Constants.of_labels(labels, 4))
        of_x, of_y = nhsic.nhsic(features, scale, constants)
        assert found[f"information/nhsic_x{name}"] == pytest.approx(of_x)
        assert found[f"information/nhsic_y{name}"] == pytest.approx(of_y)
        assert found[f"information/nhsic_difference{name}"] == pytest.approx(of_x - of_y)
    z = compression.principal_components(features.double().numpy())
    five = compression.five(x.double().numpy(), z, labels.numpy())
    assert found["information/compression_5nn_x"] == five.x
    assert found["information/compression_5nn_difference"] == five.x - five.y
    values, shares = bounds.spectra(bounds.classes(features, labels)), torch.ones(4).double() / 4
    largest = norms.max().item()
    trace = bounds.trace_bound(values, shares, largest)
    assert found["information/trace_bound_1"] == pytest.approx(trace)
    assert found["information/trace_bound_0.1"] == pytest.approx(100 * trace)
    expected = bounds.gaussian_bound(values, shares, 0.3 * norms.mean().item())
    assert found["information/gaussian_bound_mean_0.3"] == pytest.approx(expected)
    density = bounds.Mixtures(bounds.classes(features, labels)).at(0.1)
    assert found["information/density"] == pytest.approx(density.estimate)


def test_what_needs_codes_or_numbers_is_nan_without() -> None:
    of_x = {f"compression{form}_{end}" for form in ("", "_5nn") for end in ("x", "difference")}
    kernels = {f"nhsic_{end}{form}" for form in ("", "_scaled") for end in ("x", "difference")}
    assert undefined(information.measure(snapshot(images()))) == of_x
    tokens = torch.zeros(N, 2, dtype=torch.int64)
    for inputs in (None, tokens):
        assert undefined(information.measure(snapshot(inputs))) == of_x | kernels


def test_degenerate_networks() -> None:
    one = snapshot(images())
    every = {name.removeprefix("information/") for name in information.COLUMNS}

    def changed(**tensors: torch.Tensor) -> set[str]:
        return undefined(information.measure(replace(one, test=replace(one.test, **tensors))))

    assert changed(features=torch.full((N, 6), torch.inf)) == every
    zeros = changed(features=torch.zeros(N, 6))
    assert "nhsic_x" not in zeros  # constant features: no information
    assert {"nhsic_x_scaled", "gaussian_bound_1", "compression_5nn_y"} <= zeros
    assert {
        name for name in changed(labels=torch.zeros(N, dtype=torch.int64)) if "_y" in name
    } == set()
    few = undefined(information.measure(snapshot(images(), 40)))
    assert {"nhsic_x", "nhsic_y"} <= few and "gaussian_bound_1" not in few


def test_a_test_set_smaller_than_neighbours_does_not_fit(token_cell) -> None:
    task = token_cell().task
    assert information.unfit(task) is None
    small = replace(task, test=task.test[:5])
    assert information.unfit(small) == (
        "has 5 test samples, but estimates from 5 nearest neighbours need 6 or more"
    )
    assert information.unfit(replace(task, test=task.test[:6])) is None


def test_inputs_are_a_view_and_constants_are_computed_once(monkeypatch) -> None:
    one = snapshot(images())
    assert one.inputs.test.data_ptr() == one.inputs.table[50:].data_ptr()
    scattered = Inputs(images(), torch.tensor([7, 3, 5]))
    assert torch.equal(scattered.test, images()[[7, 3, 5]])
    calls = []
    of_inputs = nhsic.Constants.of_inputs
    monkeypatch.setattr(
        columns.nhsic.Constants, "of_inputs", lambda x: (calls.append(1), of_inputs(x))[1]
    )
    first, second = (information.measure(replace(one, classes=4)) for _ in range(2))
    assert len(calls) == 1
    assert str(first) == str(second)
