"""From logs of other programs to gathered tables: `python -m analysis adopt`."""
