"""Write the generated files, or with ``--check`` compare them with what would be written."""

from __future__ import annotations

import argparse
import difflib
import sys
from pathlib import Path

from .completion import SHELLS, write_script
from .manpages import write_pages
from .tree import read_tree

ROOT = Path(__file__).parents[1]
DIRECTORIES = ("completions", "man")


def generated() -> dict[Path, str]:
    """Content of every generated file."""
    tree = read_tree()
    files = {ROOT / "completions" / f"signac.{shell}": write_script(tree, shell) for shell in SHELLS}
    return files | {ROOT / "man" / name: content for name, content in write_pages(tree)}


def main() -> int:
    """Run the command; the exit status is 1 if a check finds differences."""
    parser = argparse.ArgumentParser(prog="python -m tools", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    wanted = generated()
    present = {
        path: path.read_text(encoding="utf-8")
        for directory in DIRECTORIES
        for path in sorted((ROOT / directory).glob("*"))
    }
    differences: list[str] = []
    for path in sorted(wanted.keys() | present.keys()):
        old, new = present.get(path, ""), wanted.get(path, "")
        if old == new:
            continue
        name = str(path.relative_to(ROOT))
        differences += difflib.unified_diff(
            old.splitlines(), new.splitlines(), name, f"{name} (generated)", lineterm=""
        )
        if check:
            continue
        if path in wanted:
            path.parent.mkdir(exist_ok=True)
            path.write_text(new, encoding="utf-8")
        else:
            path.unlink()
    if check and differences:
        sys.stdout.write("\n".join([*differences, "The generated files are out of date: run 'make generated'.", ""]))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
