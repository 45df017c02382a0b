"""Where the stored numbers are."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COLLAPSE = ROOT / "outputs" / "reference" / "collapse" / "weight_decay"
ENTROPY = ROOT / "outputs" / "reference" / "entropy" / "second_beta"
RESULTS = ROOT / "benchmarks" / "results"
