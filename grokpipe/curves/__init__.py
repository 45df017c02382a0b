"""Pure functions on curves, shared by training and analysis; nothing here needs PyTorch."""
