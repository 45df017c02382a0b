"""What several commands share: options, reading, columns to group by, what the screen shows."""

from analysis.commands.common.arguments import (
    EVENT_HELP,
    add_by,
    add_folder,
    add_format,
    add_to,
    add_where,
    destination,
    where,
)
from analysis.commands.common.grouping import column, columns, pooled, refuse_pooled, unfinished
from analysis.commands.common.reading import (
    ALL,
    check_folder,
    event_names,
    no_evaluation,
    read,
    read_events,
    required,
)
from analysis.commands.common.resampling import generator
from analysis.commands.common.screen import print_notes, print_written, track

__all__ = [
    "ALL", "EVENT_HELP", "add_by", "add_folder", "add_format", "add_to", "add_where",
    "check_folder",
    "column", "columns", "destination", "event_names", "generator", "no_evaluation", "pooled",
    "print_notes", "print_written", "read", "read_events", "refuse_pooled", "required", "track",
    "unfinished", "where",
]  # fmt: skip
