"""Figures of Truong et al. (2026): one module each, numbered as in the paper where its text
describes them. TITLE is what a figure shows; OURS, whether the paper lacks it."""
