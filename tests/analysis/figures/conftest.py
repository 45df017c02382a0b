"""Figures look as those that are published, and are closed after each test."""

from collections.abc import Iterator

import matplotlib.pyplot as plt
import pytest

from analysis.figures.style import prepare


@pytest.fixture(autouse=True)
def figures() -> Iterator[None]:
    prepare()
    yield
    plt.close("all")
