"""Forecasts of events: predictors, gap laws, their errors, and synchrony of curves."""
