"""Restore run logs from gathered tables, the inverse of `gather`.

A grid can then be continued, and a baseline followed, on a machine that did not train the existing
runs. Weights, snapshots, wall times and hosts are not in tables and are not restored.
"""

import math
import tempfile
from collections import Counter
from dataclasses import asdict, fields
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from analysis.runs.tables import Tables
from grokpipe.config import registry
from grokpipe.config.composing import CONF
from grokpipe.config.fields import flatten, scientific_values
from grokpipe.config.resolving import resolve
from grokpipe.config.schema import GROUPS, Config, operational_names, register
from grokpipe.errors import InputError
from grokpipe.store import files, manifest, run_log


def restore(tables: Tables, folder: Path, experiment: str | None) -> list[str]:
    """Write a run log for each finished run of `tables` that `folder` lacks.

    The runs are recorded as requested by `experiment`. A run log appears whole or not at all.

    Returns messages for the user. Raises InputError, before anything is written, if the key of a
    configuration is not the run's key, and for tables without the name of a group.
    """
    cells = tables.cells[tables.cells["state"].isin(manifest.FINISHED)]
    for name in (f"{group}.name" for group in GROUPS):
        if name not in tables.configuration:
            raise InputError(f"{tables.folder}: no column {name}; a run log needs it")
    configs = {row["key"]: _checked(row, folder, tables) for _, row in cells.iterrows()}
    states = manifest.states(folder, configs)
    manifest.cells_folder(folder).mkdir(parents=True, exist_ok=True)
    measures = [
        name for name in tables.curves if name != "key" and name not in tables.configuration
    ]
    for _, row in cells.iterrows():
        if states[row["key"]] == "missing":
            curves = tables.curves.loc[tables.curves["key"] == row["key"], measures]
            _write(row, configs[row["key"]], curves, folder, tables.folder)
    manifest.record_asked(
        folder,
        [
            {"key": key, "experiment": experiment, **flatten(scientific_values(config))}
            for key, config in configs.items()
        ],
    )
    return _messages(states, len(tables.cells) - len(cells), folder)


def _messages(states: dict[str, str], unfinished: int, folder: Path) -> list[str]:
    number = Counter(states.values())
    existing = sum(number[state] for state in manifest.FINISHED)
    begun = len(states) - existing - number["missing"]
    messages = [f"{folder}: {number['missing']} restored, {existing} existed already"]
    if begun:
        messages.append(f"{begun} are unfinished in {folder} and kept; the sweep finishes them")
    if unfinished:
        messages.append(f"{unfinished} are unfinished in the tables and were skipped")
    return messages


def _checked(row: pd.Series, folder: Path, tables: Tables) -> Config:
    """Configuration of a row of cells, with the present defaults of operational keys.

    Raises InputError if it is no longer valid, or if its key is not that of the row.
    """
    from grokpipe.config.keys import key_of  # needs PyTorch, which tables do not

    try:
        config = resolve(_nested(row, tables.configuration, folder))
    except InputError as error:
        raise InputError(f"{tables.folder}: cell {row['key']}: {error}") from error
    if (key := key_of(scientific_values(config), row["data"])) != row["key"]:
        raise InputError(
            f"{tables.folder}: cell {row['key']}: its configuration gives the key {key}; the "
            "tables were changed, or lack a column"
        )
    return config


def _nested(row: pd.Series, names: list[str], folder: Path) -> dict[str, Any]:
    """Nest the row's configuration as Hydra would have composed it.

    A key of another member of a group, which the table has for the sake of other rows, is missing
    in this row and left out.
    """
    flat = _operational() | {"outputs": str(folder.parent), "name": folder.name}
    flat |= {name: _plain(row[name]) for name in names}
    own = {
        f"{group}.{item.name}"
        for group, package in GROUPS.items()
        for item in fields(registry.module(package, flat[f"{group}.name"], group).Config)
    }
    values: dict[str, Any] = {}
    for name, value in flat.items():
        *path, last = name.split(".")
        if value is None and path and path[0] in GROUPS and name not in own:
            continue
        node = values
        for part in path:
            node = node.setdefault(part, {})
        node[last] = value
    return values


def _plain(value: Any) -> Any:
    """Undo a table's conversions: text for a list, NaN for none, floats for integers with gaps."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, str):
        return yaml.safe_load(value) if value.startswith("[") else value
    value = value.item() if hasattr(value, "item") else value
    return int(value) if isinstance(value, float) and value.is_integer() else value


@cache
def _operational() -> dict[str, Any]:
    """Operational defaults of conf/, by dotted name."""
    from hydra import compose, initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from omegaconf import OmegaConf

    register()
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        composed = compose("config")
    return {name: OmegaConf.select(composed, name) for name in sorted(operational_names())}


def _write(
    row: pd.Series, config: Config, curves: pd.DataFrame, folder: Path, source: Path
) -> None:
    with tempfile.TemporaryDirectory(prefix=".restoring-", dir=folder) as temporary:
        log = Path(temporary) / row["key"]
        run_log.RunLog(log).start(asdict(config), _provenance(row, source))
        if len(curves):  # there are none if the run diverged before its first evaluation
            curves.to_parquet(log / run_log.CURVES, index=False)
        result = {"state": row["state"], "steps": int(row["trained_steps"])}
        files.write_json(
            log / run_log.RESULT, {**result, "reason": row["reason"], "code": row["code"]}
        )
        log.rename(manifest.cells_folder(folder) / row["key"])


def _provenance(row: pd.Series, source: Path) -> dict[str, Any]:
    """Provenance of a run, as far as the tables hold it, in the form of a run log."""
    return {
        "commit": row["commit"],
        "dirty": bool(row["dirty"]),
        "code": row["code"],
        "versions": {"torch": row["torch"]},
        "processor": row["processor"],
        "data": {"classes": int(row["classes"]), "fingerprint": row["data"]},
        "restored": {
            "from": str(source),
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
        },
    }
