"""Configurations are read as OmegaConf reads them."""

import math
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from grokpipe.store import run_log
from grokpipe.store.configuration import read_config, read_scientific

ROOT = Path(__file__).resolve().parents[3]
VALUES = [
    0.001, 1e-3, 1e-05, 1e-08, -1.5e-7, 5e-324, 1e16, 1e22, 1.0, 100000.0, 0.1 + 0.2, math.pi,
    math.inf, -math.inf, 0, -3, 2**63 - 1, True, False, None, "", "mnist", "1e-3", "0.1", "12",
    "0x1F", "1_000", "012", "inf", ".inf", "nan", "null", "~", "yes", "off", "2001-01-01", "12:30",
    "???", "a: b", "- x", "# x", "'", '"', "{}", "*", "&a", "=", "<<", "λ = 0.1", "two\nlines",
    "an\n\nempty one", " spaces ", "x" * 200, "many words " * 30, [], {}, [0.9, 0.999],
    [1e-3, None, "a"], {"deeper": {"still": [1, 2], "x": 1e-05}}, [{"name": 1}, {"name": 2}],
]  # fmt: skip


def as_omegaconf(log: Path) -> object:
    return OmegaConf.to_container(OmegaConf.load(log / run_log.CONFIG))


def test_what_omegaconf_writes(tmp_path: Path) -> None:
    config = {f"x{number}": value for number, value in enumerate(VALUES)}
    config["group"] = {**config, "no": 1, "1e-3": 2}
    (tmp_path / run_log.CONFIG).write_text(OmegaConf.to_yaml(OmegaConf.create(config)))
    read = read_config(tmp_path)
    assert read == config == as_omegaconf(tmp_path)
    assert list(read) == list(config)
    for name, value in config.items():
        assert type(read[name]) is type(value), name


@pytest.mark.parametrize(
    "word",
    "1e-3 1E3 1e+3 -1e-3 +2e5 1.e5 1.0e3 1.5E-3 .5 .5e-3 5. 1_000e2 1_000.5 0x10 0o7 010 0b1 e5 1e "
    "1e-3x 1:30 1:30.5 .inf -.Inf .NAN 2001-01-01 2001-01-01T10:00:00 Yes y n on NULL ~ ${lr} "
    "[1e-3,2]".split(),
)
def test_what_a_hand_writes(word: str, tmp_path: Path) -> None:
    (tmp_path / run_log.CONFIG).write_text(f"# by hand\nlr: {word}\n\nseed: 1  # the first\n")
    assert repr(read_config(tmp_path)) == repr(as_omegaconf(tmp_path))


@pytest.mark.parametrize(
    "path", sorted((ROOT / "conf").rglob("*.yaml")), ids=lambda path: path.stem
)
def test_the_files_of_conf(path: Path, tmp_path: Path) -> None:
    (tmp_path / run_log.CONFIG).write_text(path.read_text())
    assert read_config(tmp_path) == as_omegaconf(tmp_path)


def test_the_scientific_part_is_the_run_logs(runs: Path) -> None:
    for log in (runs / "cells").iterdir():
        assert read_scientific(log) == run_log.read_scientific(log)
