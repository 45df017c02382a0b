"""No intervention: the baseline."""

from dataclasses import dataclass

from grokpipe.config.fields import scientific
from grokpipe.interventions import Plain


@dataclass(frozen=True)
class Config:
    """Configuration of no intervention."""

    name: str = scientific()


Stacked = Plain
