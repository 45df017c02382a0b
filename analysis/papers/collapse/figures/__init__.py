"""Figures of Sakamoto & Sato (2026): one module each, numbered as in the paper, whose Figures 11
and 12 are of texts that are not run. TITLE describes a figure; OURS says whether the paper lacks
it."""
