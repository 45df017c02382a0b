"""The analysis of Truong et al. (2026), experiment by experiment.

A function that analysis/papers/entropy/claims.yaml names as a `quantity` takes the Experiments and
gives a Finding; it raises NotRun if runs that it needs are not there.
"""
