"""Say how much of the packages the tests run in their own process, and fail if that is too little.

Reads what ``make test MEASURE=1`` has measured. What the programs do that tests start as processes does not count.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MEASURED = ROOT / "build" / "coverage.json"
PACKAGES = ("signac_core", "signac_cli")
LEAST = 94.0  # percent of the statements, and of the branches, of each package
KINDS = {"statements": ("covered_lines", "num_statements"), "branches": ("covered_branches", "num_branches")}


def shares(summary: dict[str, int]) -> list[float]:
    """Percentages of the statements and of the branches that were run."""
    return [100 * summary[done] / summary[total] if summary[total] else 100.0 for done, total in KINDS.values()]


def line(name: str, percentages: list[float], rest: str = "") -> str:
    return f"{name:<44}" + "".join(f"{share:>11.1f} %" for share in percentages) + rest


def main() -> int:
    """Run the command; the exit status is 1 if too little is covered."""
    files = json.loads(MEASURED.read_text(encoding="utf-8"))["files"]
    print(f"{'in process':<44}" + "".join(f"{kind:>13}" for kind in KINDS) + "  lines that were not run")
    for name, measured in sorted(files.items()):
        percentages = shares(measured["summary"])
        if min(percentages) < LEAST:
            lines = measured["missing_lines"]
            print(line(name, percentages, f"  {' '.join(map(str, lines[:12]))}{' ...' if len(lines) > 12 else ''}"))
    is_enough = True
    total: Counter[str] = Counter()
    for package in PACKAGES:
        summary: Counter[str] = Counter()
        for name, measured in files.items():
            if name.startswith(f"{package}/"):
                summary.update({key: measured["summary"][key] for pair in KINDS.values() for key in pair})
        if not summary["num_statements"]:
            raise SystemExit(f"ci/covered.py: nothing of {package} was measured")
        is_enough = is_enough and min(shares(summary)) >= LEAST
        print(line(package, shares(summary)))
        total += summary
    print(line("both", shares(total)))
    if not is_enough:
        print(f"Of each package at least {LEAST:g} % of the statements and of the branches have to be run.")
    return 0 if is_enough else 1


if __name__ == "__main__":
    sys.exit(main())
