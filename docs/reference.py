"""Where the stored numbers are."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COLLAPSE_PAPER = ROOT / "outputs" / "reference" / "collapse"
COLLAPSE = COLLAPSE_PAPER / "weight_decay"
ENTROPY_PAPER = ROOT / "outputs" / "reference" / "entropy"
ENTROPY = ENTROPY_PAPER / "second_beta"
FLATNESS_PAPER = ROOT / "outputs" / "reference" / "flatness"
ZERO_LOSS = ROOT / "outputs" / "reference" / "numerics" / "zero_loss"
TUTORIAL = ROOT / "outputs" / "reference" / "tutorial"
RESULTS = ROOT / "benchmarks" / "results"
