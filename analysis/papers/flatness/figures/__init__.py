"""Figures of Han et al. (2025): one module each. TITLE describes a figure; OURS says whether the
paper lacks it."""
