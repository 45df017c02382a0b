"""Figures of Truong et al. (2026): one module each, numbered as in the paper where its text
describes them. TITLE describes a figure; OURS says whether the paper lacks it."""
