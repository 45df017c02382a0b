"""Output: numbers as text, tables as files, and the lineage of tables and figures."""
