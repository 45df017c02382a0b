"""A made-up paper: its claims, estimates, tables and figures, with every verdict and odd case."""

from pathlib import Path

from analysis.claims import reading
from analysis.claims.schema import Paper

FOLDER = Path(__file__).parent


def read() -> Paper:
    return reading.read("entropy", FOLDER, __name__)
