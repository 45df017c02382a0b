"""Stored results of benchmarks, one folder a machine: benchmarks/results/<machine>/<name>.json."""

import json
from typing import Any

from docs.reference import RESULTS


def stored(name: str) -> list[dict[str, Any]]:
    """Read the results of a benchmark from every machine that has them, the newest first."""
    results = [json.loads(path.read_text()) for path in sorted(RESULTS.glob(f"*/{name}.json"))]
    return sorted(results, key=lambda result: result["machine"]["date"], reverse=True)


def newest(name: str) -> dict[str, Any]:
    """Read the newest result of a benchmark."""
    return stored(name)[0]


def processor_of(machine: dict[str, Any]) -> str:
    """Name a processor, with family and model where they are known."""
    known = [f"{part} {machine[part]}" for part in ("family", "model") if part in machine]
    return machine["processor"] + (f" ({', '.join(known)})" if known else "")
