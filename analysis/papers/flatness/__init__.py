"""What only the paper of Han et al. (2025) needs."""
