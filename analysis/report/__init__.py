"""The report of a paper: each claim beside what the runs give, as one page and as Markdown."""
