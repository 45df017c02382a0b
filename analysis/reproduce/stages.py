"""The stages of a reproduction: each is one command, as a user would type it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.reproduce.plan import Plan


@dataclass(frozen=True)
class Stage:
    kind: str
    """train, remeasure, gather or report"""
    experiment: str
    """its name in the paper; empty for the report"""
    command: tuple[str, ...]
    """`grokpipe -m …` or `analysis …`: what follows `python -m`"""
    made: tuple[Path, ...] = ()
    """files without which it must be done again"""

    @property
    def name(self) -> str:
        return f"{self.kind} {self.experiment}".rstrip()


def training(
    plan: Plan, overrides: Sequence[str], small: bool = False
) -> dict[str, tuple[str, ...]]:
    """The arguments of `grokpipe` that train each experiment, by its name, with these overrides;
    with `small`, those of the plan's trial come before them."""
    return {
        one.name: (
            "-m",
            f"experiment={plan.paper}/{one.name}",
            *(one.small if small else ()),
            *overrides,
        )
        for one in plan.experiments
    }


def stages(
    plan: Plan, folder: Path, training: Mapping[str, Sequence[str]], to: Path | None = None
) -> list[Stage]:
    """The stages of a plan in their order: every experiment with what is measured and gathered of
    it, then the report.

    Args:
        folder: of all run logs, outputs/<name>.
        training: arguments of `grokpipe` by the name of the experiment.
        to: folder of the gathered tables, one folder an experiment, and of a report on them; by
            default the tables are in `folder`/gathered, and the report is on the run logs.
    """
    found = []
    gathered = to or folder / "gathered"
    for one in plan.experiments:
        name, tables = f"{plan.paper}/{one.name}", gathered / one.name
        found.append(Stage("train", one.name, ("grokpipe", *training[one.name])))
        if one.remeasure:
            measures = f"measures={','.join(one.remeasure)}"
            remeasure = ("grokpipe.remeasure", str(folder), measures, f"experiment={name}")
            found.append(Stage("remeasure", one.name, remeasure))
        gather = ("analysis", "gather", str(folder), "--experiment", name, "--to", str(tables))
        made = (tables / "cells.parquet", tables / "curves.parquet")
        found.append(Stage("gather", one.name, gather, made))
    reported = to or folder
    report = ("analysis", "report", plan.paper, "--runs", str(reported))
    return [*found, Stage("report", "", report, (reported / "report" / "report.html",))]
