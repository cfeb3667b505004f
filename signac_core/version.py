"""The version of this program and the signac release whose behaviour it is compatible with."""

__version__ = "0.1.0"

COMPATIBLE_VERSION = "2.4.1"
"""The release of signac whose API, file layout and job ids are followed; purely numeric by contract."""
