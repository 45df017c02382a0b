"""torch.compile for the training step: where it pays, and a compiler is there."""

import os
from functools import lru_cache

import pooch
import torch

from grokpipe.training.tracing import Program

PAYS_FROM = 600.0
"""seconds of a run without compiling. It saves 10 to 30 % of a step (benchmarks/) and costs up to
a minute the first time; what it made is kept in the user's cache folder for later runs."""


def worth_compiling(setting: str, seconds: float, device: torch.device) -> tuple[bool, str | None]:
    """Whether a run that would take `seconds` without it should be compiled, and what a user must
    be told. `setting`: auto, on or off."""
    if setting == "off" or (setting == "auto" and seconds < PAYS_FROM):
        return False, None
    if missing := _missing_compiler(device.type):
        return False, f"not compiled: {missing}"
    return True, None


def compiled_program(program: Program) -> Program:
    """`program`, a traced one, as compiled code for the shapes that it was traced for."""
    compiled: Program = torch.compile(program, dynamic=False)
    return compiled


@lru_cache
def _missing_compiler(device: str) -> str | None:
    """Why torch.compile cannot work here, or None. Chooses the folder for compiled code too."""
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(pooch.os_cache("grokpipe") / "compiled"))
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
