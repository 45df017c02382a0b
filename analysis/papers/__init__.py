"""Papers: claims as data, with the estimates, tables and figures of each paper."""
