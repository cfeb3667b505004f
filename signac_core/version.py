"""The version of this program and the signac release whose behaviour it is compatible with."""

__version__ = "0.1.0"

COMPATIBLE_VERSION = "2.4.1"
"""The release of signac whose API, file layout and job ids are followed; purely numeric by contract."""

DESCRIPTION = f"signac-cli {__version__} (signac {COMPATIBLE_VERSION} compatible)"
"""The version of this program, and the release of signac whose behaviour it follows, as ``--version`` prints them."""
