"""The checks that tables pass as they are read."""
