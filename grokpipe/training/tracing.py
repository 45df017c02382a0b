"""Trace a function of tensors once into a flat list of ATen operations.

The Python overhead of `torch.func` and autograd is then paid once instead of at every call. The
kernels are called one after another, with bitwise the same results. Needs no compiler.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.fx import Graph
from torch.fx.experimental.proxy_tensor import make_fx
from torch.fx.graph import CodeGen

Program = Callable[..., Sequence[Tensor]]

RESHAPES = (
    torch.ops.aten.expand.default,
    torch.ops.aten.view.default,
    torch.ops.aten._unsafe_view.default,
)


def traced(function: Program, *examples: Tensor) -> Program:
    """Trace `function` for tensors with the shapes of `examples`, and no others."""
    # Fake tensors compute nothing: real ones would all be alive at once until the trace ends.
    module = make_fx(function, tracing_mode="fake")(*examples)
    _drop_idle_reshapes(module.graph)
    module.graph.set_codegen(CodeGen())  # arguments by position, without unpacking of containers
    module.recompile()
    program: Program = module.forward
    return program


def _drop_idle_reshapes(graph: Graph) -> None:
    """Remove reshapes to a tensor's own shape.

    vmap leaves several at each product, and for small networks their calls cost a visible part of a
    step.
    """
    for node in list(graph.nodes):
        if node.op == "call_function" and node.target in RESHAPES:
            source = node.args[0]
            if source.meta["val"].shape == node.meta["val"].shape:
                node.replace_all_uses_with(source)
                graph.erase_node(node)
    graph.eliminate_dead_code()
