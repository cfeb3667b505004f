"""Run the command line as ``python -m signac_cli``."""

from signac_cli import start

if __name__ == "__main__":
    start()
