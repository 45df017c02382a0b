"""Sakamoto & Sato (2026), arXiv 2509.20829."""
