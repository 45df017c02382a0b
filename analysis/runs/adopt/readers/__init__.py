"""Readers of other programs' logs, a format each: a path in, `Log`s out."""
