"""The tables of the report on Sakamoto & Sato (2026): the paper's two, and what stands beside."""
