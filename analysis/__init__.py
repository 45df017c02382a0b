"""Analysis: from run logs to tables, estimates, verdicts and figures. Needs no PyTorch."""
