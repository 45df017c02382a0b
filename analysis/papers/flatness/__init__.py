"""Han et al. (2025), arXiv 2509.17738."""
