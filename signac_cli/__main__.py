"""Run the command line as ``python -m signac_cli``."""

from __future__ import annotations

import sys

from signac_cli import main

if __name__ == "__main__":
    sys.exit(main())
