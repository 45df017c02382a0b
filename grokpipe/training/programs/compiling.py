"""Compile traced programs by PyTorch's compiler, Inductor, where that pays and a C++ compiler is
available. Compiled code is kept in the user's cache folder for later runs."""

import hashlib
import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import pooch
import torch
from torch import Tensor
from torch.fx import GraphModule

from grokpipe.training.device import generation, processor
from grokpipe.training.programs import leftovers, products
from grokpipe.training.programs.tracing import Program, graph_of

PAYS_FROM = {"new": 120.0, "known": 20.0}
"""uncompiled duration of a run in seconds from which compiling pays: it saves 15 to 35 % of a step
(benchmarks/), and costs 5 to 20 s for a program that is new to this machine, 1 to 2 s for one whose
code is in the cache"""

OPTIONS = {
    # arguments have the shapes of the trace: their checks would cost some microseconds a step
    "size_asserts": False,
    "alignment_asserts": False,
}


def worth_compiling(
    setting: str, seconds: float, device: torch.device, known: bool = False
) -> tuple[bool, str | None]:
    """Decide whether to compile a run.

    Args:
        setting: the configuration key `compile`: auto, on or off.
        seconds: how long the run would take uncompiled.
        device: where the run trains.
        known: whether the program was compiled on this machine before.

    Returns:
        the decision, and a note for the user if a compiler is missing.
    """
    pays = seconds >= PAYS_FROM["known" if known else "new"]
    if setting == "off" or (setting == "auto" and not pays):
        return False, None
    if missing := _missing_compiler(device.type):
        return False, f"not compiled: {missing}"
    return True, None


def compiled(
    function: Program, *examples: Tensor, libraries: Mapping[str, str] | None = None
) -> Program:
    """Compile `function` for tensors with the shapes of `examples`, and no others.

    `libraries` gives matrix products to other libraries, by their shape (products.py). Call the
    result without gradients.
    """
    module = apart(function, *examples)
    mark = marker(module)
    _without_leftovers()
    products.assign(module.graph, libraries or {}, products.OPERATORS)
    module.recompile()
    program: Program = torch._inductor.standalone_compile(
        module,
        [*examples],
        dynamic_shapes="from_example_inputs",
        options={"config_patches": OPTIONS},
    )
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.touch()
    return program


def apart(function: Program, *examples: Tensor) -> GraphModule:
    """Trace `function`, with a product that adds a bias as two operations: alone, the product can
    choose its library, and the sum joins what follows."""
    return graph_of(function, *examples, decompositions={torch.ops.aten.addmm.default: _addmm})


def _addmm(bias: Tensor, a: Tensor, b: Tensor) -> Tensor:
    return torch.mm(a, b) - (-bias)  # a plain sum would be made one operation again


def marker(module: GraphModule) -> Path:
    """File that exists once this graph was compiled on such a machine: its code is in the cache."""
    shapes = [str(getattr(node.meta.get("val"), "shape", "")) for node in module.graph.nodes]
    text = "\n".join([module.code, *shapes, torch.__version__, processor(), str(generation())])
    return _folder() / "known" / hashlib.sha256(text.encode()).hexdigest()[:16]


def _folder() -> Path:
    default = pooch.os_cache("grokpipe") / "compiled"
    return Path(os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(default)))


@lru_cache
def _without_leftovers() -> None:
    """Clear the cache, once in a process, of what a killed compiler left."""
    leftovers.remove_damaged(_folder())


@lru_cache
def _missing_compiler(device: str) -> str | None:
    """Why torch.compile cannot work here, or None. Also sets the folder for compiled code."""
    _folder()
    if device == "cuda":
        from torch.utils._triton import has_triton

        return None if has_triton() else "PyTorch's compiler for CUDA, triton, is not installed"
    from torch._inductor.cpp_builder import get_cpp_compiler
    from torch._inductor.exc import InvalidCxxCompiler

    try:
        get_cpp_compiler()
    except InvalidCxxCompiler:
        return "no C++ compiler on this machine (install g++)"
    return None
