"""Statistics: arrays in, intervals and test results out; no run logs and no files."""
