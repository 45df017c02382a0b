"""Results are kept by machine."""

import json
import subprocess

import pytest

from benchmarks import _common
from docs import benchmark_results


@pytest.mark.parametrize(
    ("machine", "folder"),
    [
        ({"processor": "AMD EPYC", "family": 25, "model": 17}, "amd-epyc-family-25-model-17"),
        ({"processor": "AMD EPYC"}, "amd-epyc"),
        ({"processor": "Intel(R) Xeon(R) Processor"}, "intel-xeon-processor"),
        ({"processor": "AMD EPYC", "family": 25, "gpu": "NVIDIA H200"}, "nvidia-h200"),
        ({"processor": ""}, "unknown"),
    ],
)
def test_the_folder_of_a_machine(machine, folder) -> None:
    assert _common.folder_of(machine) == folder


def test_stored_results_lie_in_the_folder_of_their_machine() -> None:
    for path in _common.RESULTS.glob("*/*.json"):
        machine = json.loads(path.read_text())["machine"]
        assert path.parent.name == _common.folder_of(machine), path
        assert machine["date"], path


def test_family_and_model_are_those_that_linux_tells() -> None:
    listed = subprocess.run(["lscpu"], capture_output=True, text=True, env={"LC_ALL": "C"})
    told = {
        name: int(line.split(":")[1])
        for line in listed.stdout.splitlines()
        for name, start in (("family", "CPU family:"), ("model", "Model:"))
        if line.strip().startswith(start)
    }
    if not told:
        pytest.skip("lscpu tells no family")
    assert _common.generation() == told


def test_the_newest_of_several_machines(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(_common, "RESULTS", tmp_path)
    monkeypatch.setattr(benchmark_results, "RESULTS", tmp_path)
    for processor, date in (("Old", "2026-01-02"), ("New", "2026-03-01"), ("Mid", "2026-02-09")):
        result = {"n": processor, "machine": {"processor": processor, "date": date}}
        _common.show(result, "packs", store=True)
        assert json.loads(capsys.readouterr().out) == result
    _common.show(result, "status", store=False)
    assert [found["n"] for found in benchmark_results.stored("packs")] == ["New", "Mid", "Old"]
    assert benchmark_results.newest("packs")["n"] == "New"
    assert sorted(path.name for path in tmp_path.rglob("*.json")) == ["packs.json"] * 3
