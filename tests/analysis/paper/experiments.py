"""Of the made-up paper: those of the real one."""

from analysis.entropy.experiments import Experiments

__all__ = ["Experiments"]
