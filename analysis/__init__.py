"""From run logs to tables, figures and verdicts. Needs no PyTorch."""
