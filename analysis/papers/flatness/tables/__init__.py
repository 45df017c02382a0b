"""The tables of the report on Han et al. (2025)."""
