"""Figures of the made-up paper."""
