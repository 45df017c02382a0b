"""No intervention: the baseline."""

from dataclasses import dataclass

from grokpipe.interventions import Plain
from grokpipe.schema import scientific


@dataclass(frozen=True)
class Config:
    name: str = scientific()


Stacked = Plain
