"""From run logs to tidy tables: gather, combine, restore, status and staleness."""
