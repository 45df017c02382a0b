"""Trace a function of tensors once into a flat list of ATen operations.

The Python overhead of `torch.func` and autograd is then paid once instead of at every call. The
kernels are called one after another, with bitwise the same results. Needs no compiler.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.fx import Graph, GraphModule
from torch.fx.experimental.proxy_tensor import make_fx
from torch.fx.graph import CodeGen

from grokpipe.training.programs import products

Program = Callable[..., Sequence[Tensor]]

aten = torch.ops.aten
RESHAPES = (aten.expand.default, aten.view.default, aten._unsafe_view.default)


def traced(
    function: Program, *examples: Tensor, libraries: Mapping[str, str] | None = None
) -> Program:
    """Trace `function` for tensors with the shapes of `examples`, and no others.

    `libraries` gives matrix products to other libraries, by their shape (products.py).
    """
    module = graph_of(function, *examples)
    products.assign(module.graph, libraries or {}, products.BY_ONEDNN)
    module.graph.set_codegen(CodeGen())  # arguments by position, without unpacking of containers
    module.recompile()
    program: Program = module.forward
    return program


def graph_of(
    function: Program, *examples: Tensor, decompositions: Mapping[Any, Any] | None = None
) -> GraphModule:
    """Trace `function` into a graph whose nodes know their shapes, with some operations taken
    apart."""
    # Fake tensors compute nothing: real ones would all be alive at once until the trace ends.
    module = make_fx(function, {**(decompositions or {})}, tracing_mode="fake")(*examples)
    _drop_idle_reshapes(module.graph)
    module.recompile()
    return module


def _drop_idle_reshapes(graph: Graph) -> None:
    """Remove reshapes to a tensor's own shape, and transposes of transposes.

    vmap leaves several at each product, and for small networks their calls cost a visible part of a
    step.
    """
    for node in list(graph.nodes):
        if node.op != "call_function":
            continue
        if node.target in RESHAPES:
            source = node.args[0]
            if source.meta["val"].shape == node.meta["val"].shape:
                node.replace_all_uses_with(source)
                graph.erase_node(node)
        elif node.target is aten.t.default and node.args[0].target is aten.t.default:
            node.replace_all_uses_with(node.args[0].args[0])
    graph.eliminate_dead_code()
