"""Made-up runs, and fewer resamples where a test asks for them: what tests of commands share."""

from pathlib import Path

import pytest

from analysis.stats import bootstrap
from tests.helpers import made_grokking


@pytest.fixture
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "RESAMPLES", 200)


@pytest.fixture
def grokking(tmp_path: Path) -> Path:
    return made_grokking.write(tmp_path / "grokking")
