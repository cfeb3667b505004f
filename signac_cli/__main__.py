"""Run the command line as ``python -m signac_cli``."""

import sys

from signac_cli import main

if __name__ == "__main__":
    sys.exit(main())
