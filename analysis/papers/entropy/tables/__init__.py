"""Tables of the report on Truong et al. (2026): one module each with `tables(runs)`, readable
tables by their titles; "Table 1: …" stands beside the paper's Table 1."""
