"""Numbers and tests of one run's curve that only the paper of Sakamoto & Sato (2026) needs.

A curve has a row per evaluation. What is taken from snapshots is known at some of them; a column
that was not measured gives NaN or None, which leaves the run out.
"""
