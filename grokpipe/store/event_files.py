"""TensorBoard's event files of a run, beside its run log: a folder for each run.

TensorBoard, W&B (`sync_tensorboard`) and others read them. Numbers are float32 there, so that the
run log stays the record; the event files are written from its rows.
"""

import os
import re
import socket
import time
from collections.abc import Iterable, Mapping
from numbers import Real
from pathlib import Path
from typing import Any

from grokpipe.config.fields import flatten

FOLDER = "tensorboard"
MARK = "tfevents"
"""what the names of event files have in common"""
VERSION = "brain.Event:2"
HPARAMS = "_hparams_/session_start_info"


def of_cell(folder: Path, key: str, configuration: Mapping[str, Any]) -> "EventFile":
    """The event file of a cell below `folder`; its own folder has a readable name, the key last."""
    return EventFile(folder / run_name(key, configuration), flatten(dict(configuration)))


def run_name(key: str, configuration: Mapping[str, Any]) -> str:
    """`mod_add_mlp_wd0.1_lr0.001_seed0-<key>`, of the nested or flat configuration, as far as it
    is known, and fit for a folder."""
    flat = flatten(dict(configuration))
    parts = [str(flat[name]) for name in ("task.name", "arch.name") if known(flat.get(name))]
    if known(name := flat.get("intervention.name")) and name != "none":
        parts.append(str(name))
    shown = {"wd": "weight_decay", "lr": "lr", "seed": "seed"}
    parts += [f"{short}{flat[name]:g}" if isinstance(flat[name], Real) else f"{short}{flat[name]}"
              for short, name in shown.items() if known(flat.get(name))]  # fmt: skip
    readable = "_".join(parts)
    fit = re.sub(r"[^\w.=,+-]+", "_", f"{readable}-{key}" if readable else key)
    return fit.strip("_-") or "run"


def known(value: Any) -> bool:
    """Whether a value is there: neither None nor NaN."""
    return value is not None and value == value


class EventFile:
    """Writes the event file of one run: anew from all rows, then a row at a time."""

    def __init__(self, folder: Path, configuration: Mapping[str, Any]):
        self.folder, self.configuration = folder, configuration
        self.path = folder / f"events.out.{MARK}"

    def rewrite(self, rows: Iterable[Mapping[str, float]]) -> None:
        """Write a new file with these rows in place of all earlier ones. A TensorBoard that watches
        the folder drops what it had read, so that a resumed run has no step twice."""
        from tensorboard.compat.proto.event_pb2 import Event, SessionLog

        self.folder.mkdir(parents=True, exist_ok=True)
        earlier = [path for path in self.folder.iterdir() if MARK in path.name]
        now = time.time_ns()  # TensorBoard reads files in the order of their names
        name = f"events.out.{MARK}.{now // 10**9}.{socket.gethostname()}.{os.getpid()}.{now}"
        self.path = self.folder / name
        start = SessionLog(status=SessionLog.START)
        self._write(
            [
                Event(wall_time=time.time(), file_version=VERSION),
                Event(wall_time=time.time(), step=0, session_log=start),
                Event(wall_time=time.time(), summary=_hyperparameters(self.configuration)),
                *map(_event, rows),
            ]
        )
        for path in earlier:
            path.unlink()

    def append(self, row: Mapping[str, float]) -> None:
        """Append one evaluation."""
        self._write([_event(row)])

    def _write(self, events: Iterable[Any]) -> None:
        from tensorboard.summary.writer.record_writer import RecordWriter

        with open(self.path, "ab") as file:
            writer = RecordWriter(file)
            for event in events:
                writer.write(event.SerializeToString())


def _event(row: Mapping[str, float]) -> Any:
    """The scalars of one evaluation; without those that are not defined."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary

    values = [
        Summary.Value(tag=name, simple_value=float(value))
        for name, value in row.items()
        if name != "step" and value == value
    ]
    return Event(wall_time=time.time(), step=int(row["step"]), summary=Summary(value=values))


def _hyperparameters(configuration: Mapping[str, Any]) -> Any:
    """The configuration for the HPARAMS tab."""
    from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
    from tensorboard.plugins.hparams import metadata, plugin_data_pb2

    info = plugin_data_pb2.SessionStartInfo()
    for name, value in configuration.items():
        if not known(value):
            continue
        if isinstance(value, bool):
            info.hparams[name].bool_value = value
        elif isinstance(value, Real):
            info.hparams[name].number_value = float(value)
        else:
            info.hparams[name].string_value = str(value)
    data = plugin_data_pb2.HParamsPluginData(
        version=metadata.PLUGIN_DATA_VERSION, session_start_info=info
    )
    plugin = SummaryMetadata.PluginData(
        plugin_name=metadata.PLUGIN_NAME, content=data.SerializeToString()
    )
    value = Summary.Value(tag=HPARAMS, metadata=SummaryMetadata(plugin_data=plugin))
    value.tensor.CopyFrom(metadata.NULL_TENSOR)
    return Summary(value=[value])
