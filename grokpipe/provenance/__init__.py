"""Provenance: commit and software of a run, and fingerprints of the scientific code."""
