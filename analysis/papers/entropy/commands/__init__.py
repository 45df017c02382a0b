"""Commands of this paper, for `python -m analysis paper entropy`."""
