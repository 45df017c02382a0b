"""Compile the training step by torch.compile, where that pays and a compiler is available."""

import os
from functools import lru_cache

import pooch
import torch

from grokpipe.training.tracing import Program

PAYS_FROM = 600.0
"""uncompiled duration of a run in seconds from which compiling pays: it saves 10 to 30 % of a step
(benchmarks/) and costs up to a minute the first time. Compiled code is kept in the user's cache
folder for later runs."""


def worth_compiling(setting: str, seconds: float, device: torch.device) -> tuple[bool, str | None]:
    """Decide whether to compile a run.

    Args:
        setting: the configuration key `compile`: auto, on or off.
        seconds: how long the run would take uncompiled.
        device: where the run trains.

    Returns:
        the decision, and a note for the user if a compiler is missing.
    """
    if setting == "off" or (setting == "auto" and seconds < PAYS_FROM):
        return False, None
    if missing := _missing_compiler(device.type):
        return False, f"not compiled: {missing}"
    return True, None


def compiled_program(program: Program) -> Program:
    """Compile a traced program for the shapes that it was traced for."""
    compiled: Program = torch.compile(program, dynamic=False)
    return compiled


@lru_cache
def _missing_compiler(device: str) -> str | None:
    """Why torch.compile cannot work here, or None. Also sets the folder for compiled code."""
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
