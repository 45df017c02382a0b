"""A made-up paper: its claims, estimates, tables and figures, with every verdict and odd case."""

from pathlib import Path

from analysis.claims import schema

FOLDER = Path(__file__).parent


def read() -> schema.Paper:
    return schema.read("entropy", FOLDER, __name__)
