"""A made-up paper: its claims, quantities and figures, with every verdict and every odd case."""

from pathlib import Path

from analysis import papers

FOLDER = Path(__file__).parent


def read() -> papers.Paper:
    return papers.read("entropy", FOLDER, __name__, f"{__name__}.figures")
