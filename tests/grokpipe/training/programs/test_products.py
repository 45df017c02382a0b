"""Products by the other library: as exact as fp32, and only where a graph's shapes ask for them."""

import torch

from grokpipe.training.programs import products
from grokpipe.training.programs.tracing import graph_of, traced

SHAPES = {"mm 7x5x3 nt": "onednn", "bmm 2 of 4x6x5 nn": "onednn"}


def function(x, w, bias, a, b):
    return [torch.nn.functional.linear(x, w, bias), torch.bmm(a, b), x @ x.T]


def examples() -> list[torch.Tensor]:
    shapes = ((7, 5), (3, 5), (3,), (2, 4, 6), (2, 6, 5))
    return [torch.randn(shape) for shape in shapes]


def test_products_have_the_error_of_fp32() -> None:
    assert products.product_error() < products.WORST
    if products.accurate():
        with products.by_onednn():
            assert products.product_error() < products.WORST


def test_products_of_bf16_would_be_seen(monkeypatch) -> None:
    product = torch.Tensor.__matmul__

    def rounded(a, b):
        if a.dtype == torch.float32:
            return product(a.bfloat16().float(), b.bfloat16().float())
        return product(a, b)

    monkeypatch.setattr(torch.Tensor, "__matmul__", rounded)
    assert products.product_error() > 100 * products.WORST


def test_only_the_named_shapes_go_to_the_other_library() -> None:
    arguments = examples()
    graph = graph_of(function, *arguments).graph
    assert [shape for node in graph.nodes if (shape := products.shape_of(node))] == [
        "mm 7x5x3 nt",
        "bmm 2 of 4x6x5 nn",
        "mm 7x5x7 nt",
    ]
    before = [node.target for node in graph.nodes]
    products.assign(graph, SHAPES, products.BY_ONEDNN)
    changed = [a for a, b in zip(before, (n.target for n in graph.nodes)) if a is not b]
    assert changed == [torch.ops.aten.addmm.default, torch.ops.aten.bmm.default]
    plain = traced(function, *arguments)(*arguments)
    other = traced(function, *arguments, libraries=SHAPES)(*arguments)
    for one, two in zip(plain, other):
        torch.testing.assert_close(one, two, rtol=1e-5, atol=1e-5)
    switch = torch.backends.mkldnn.matmul
    assert switch.fp32_precision == "none"


def test_a_matrix_that_a_batch_shares_has_no_choice() -> None:
    """Its memory cannot be filled with random numbers, matrix by matrix, to be timed."""

    def shared(a: torch.Tensor, b: torch.Tensor) -> list[torch.Tensor]:
        return [torch.bmm(a, b.expand(2, -1, -1))]

    graph = graph_of(shared, torch.randn(2, 4, 6), torch.randn(6, 5)).graph
    assert {products.shape_of(node) for node in graph.nodes} == {None}
    assert products.faster([graph]) == {}


def test_float64_products_have_no_choice() -> None:
    graph = graph_of(function, *(example.double() for example in examples())).graph
    assert {products.shape_of(node) for node in graph.nodes} == {None}
