"""Reproduction of a whole paper: what is to be run, what remains of it, and the runs themselves."""
