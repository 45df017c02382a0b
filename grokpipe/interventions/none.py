"""No intervention: the baseline."""

from dataclasses import dataclass

from grokpipe.schema import scientific


@dataclass(frozen=True)
class Config:
    name: str = scientific()
