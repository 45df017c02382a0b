"""The benchmarks' networks, so small that a step takes no time."""

import pytest

from benchmarks.contenders import networks
from benchmarks.contenders.networks import NETWORKS
from tests.helpers.cells import SMALL, SMALL_TOKENS


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """`cells(…)` of each network gives small ones of the same kind."""
    of = networks._config.__wrapped__

    def config(overrides):
        tokens = bool({"task=mod_add", "task=equations"}.intersection(overrides))
        kept = [o for o in overrides if not tokens or not o.startswith("arch.depth")]
        less = [*SMALL_TOKENS, "task.p=11"] if tokens else [o for o in SMALL if "depth" not in o]
        narrow = ["arch.channels=1"] if "arch=cnn" in overrides else []
        return of((*kept, *less, *narrow))

    monkeypatch.setattr(networks, "_config", config)
    for name, network in NETWORKS.items():
        fast = networks.replace(network, every=4, chunk=2)
        monkeypatch.setitem(NETWORKS, name, fast)
