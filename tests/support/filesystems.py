"""File systems that are not at hand, as far as one call can stand for them."""

from __future__ import annotations

import errno
import os

import pytest


def no_way_across(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every directory be on a file system of its own."""
    rename = os.rename

    def rename_in_a_directory(source: str, destination: str) -> None:
        if os.path.dirname(os.path.abspath(source)) != os.path.dirname(os.path.abspath(destination)):
            raise OSError(errno.EXDEV, "Invalid cross-device link", source)
        rename(source, destination)

    monkeypatch.setattr(os, "rename", rename_in_a_directory)
