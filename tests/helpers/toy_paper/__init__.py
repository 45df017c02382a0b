"""A made-up paper: its claims, quantities and figures, with every verdict and every odd case."""

from pathlib import Path

from analysis.claims import schema

FOLDER = Path(__file__).parent


def read() -> schema.Paper:
    return schema.read("entropy", FOLDER, __name__, f"{__name__}.figures")
