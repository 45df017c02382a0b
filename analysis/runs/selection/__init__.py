"""Which runs a command reads: those that meet conditions, and each trajectory once."""
