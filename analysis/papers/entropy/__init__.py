"""Truong et al. (2026): spectral entropy and grokking."""
