"""Compiled packs against plain ones; what happens without a compiler; when compiling pays."""

import json
from pathlib import Path

import pandas as pd
import pytest
import torch

from grokpipe.training.execution import Execution
from grokpipe.training.pack import Pack
from grokpipe.training.programs import compiling
from tests.helpers.cli import TOKENS, grokpipe

CPU = torch.device("cpu")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:`torch.jit.script_method` is deprecated:DeprecationWarning")
@pytest.mark.parametrize(
    ("overrides", "rtol", "atol"),
    [
        ([], 1e-4, 1e-6),
        (["dtype=float64", "loss=stablemax"], 1e-10, 1e-13),
    ],
)
def test_a_compiled_pack_follows_the_plain_one(token_cell, overrides, rtol, atol) -> None:
    if compiling._missing_compiler("cpu"):
        pytest.skip("no C++ compiler on this machine")
    cells = [token_cell(f"seed={s}", f"weight_decay={s}", *overrides) for s in range(2)]
    plain, compiled = Pack(cells), Pack(cells, execution=Execution(compiled=True))
    rows = cells[0].task.train[:24].expand(2, -1)
    inputs, labels = plain.data.inputs[rows], plain.data.labels[rows]
    for a, b in zip(compiled.gradients(inputs, labels), plain.gradients(inputs, labels)):
        torch.testing.assert_close(a, b, rtol=rtol, atol=atol)
    for pack in (plain, compiled):
        pack.advance(20)
    norms = [
        torch.stack([p.square().sum() for p in pack.cell_parameters(1).values()]).sum()
        for pack in (plain, compiled)
    ]
    torch.testing.assert_close(*norms, rtol=rtol, atol=0)


def test_without_a_compiler_it_is_said_in_a_line_and_goes_on(tmp_path: Path) -> None:
    """A real lack: a PATH on which there is no compiler."""
    ran = grokpipe(*TOKENS, "compile=on", cwd=tmp_path, PATH="/nonexistent")
    assert ran.returncode == 0, ran.stderr
    assert [line for line in ran.stdout.splitlines() if "compile" in line] == [
        "not compiled: no C++ compiler on this machine (install g++)"
    ]
    (log,) = (tmp_path / "outputs/default/cells").iterdir()
    assert json.loads((log / "provenance.json").read_text())["compiled"] is False
    assert len(pd.read_parquet(log / "curves.parquet")) == 3


@pytest.mark.parametrize(
    ("setting", "seconds", "wanted"),
    [("off", 1e9, False), ("auto", 10, False), ("auto", 1e9, True), ("on", 0, True)],
)
def test_a_short_run_is_not_compiled(setting, seconds, wanted, monkeypatch) -> None:
    monkeypatch.setattr(compiling, "_missing_compiler", lambda device: None)
    assert compiling.worth_compiling(setting, seconds, CPU) == (wanted, None)
