"""Claims of papers: their schema, and the judge that compares them with the runs."""
