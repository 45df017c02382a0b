"""Estimates that only the paper of Truong et al. (2026) needs, and functions of one run's curve.

A function that claims.yaml names takes the Runs and gives an Estimate, or takes the curve of one
run; an estimate raises NotRun if runs that it needs are not there.
"""
