"""Run the benchmarks and print one table each; the figures are kept as JSON, too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from . import environments, startup

RESULTS = Path(__file__).parent / "results"


def table(rows: list[dict[str, Any]]) -> str:
    """Rows as a Markdown table."""
    names = list(rows[0])
    lines = [[str("" if row[name] is None else row[name]) for name in names] for row in rows]
    head = [name.replace("_", " ") for name in names]
    widths = [max(len(line[i]) for line in [head, *lines]) for i in range(len(names))]
    text = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
        for line in [head, *lines]
    ]
    return "\n".join([text[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *text[1:]])


def main() -> None:
    """Measure, print, and write down."""
    rows = startup.measure(environments.ours(), environments.peer())
    text = table(rows)
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "startup.json").write_text(json.dumps(rows, indent=1) + "\n")
    (RESULTS / "startup.md").write_text(text + "\n")


if __name__ == "__main__":
    main()
