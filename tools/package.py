"""What a wheel holds beside the packages: manual pages and completion scripts, where an installation is to find them.

A hook of the build backend, named in ``pyproject.toml``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PLACES = {
    "signac.bash": "share/bash-completion/completions/signac",
    "signac.zsh": "share/zsh/site-functions/_signac",
    "signac.fish": "share/fish/vendor_completions.d/signac.fish",
}


class Hook(BuildHookInterface):  # type: ignore[misc]  # the backend is not looked into
    """Adds the generated files to a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the files, below the prefix of the installation and in the package.

        Parameters
        ----------
        version : str
            ``standard``, or ``editable``: then the package is the one of the checkout and finds the scripts beside it.
        build_data : dict
            What the wheel is made of.

        """
        root = Path(self.root)
        shared = build_data["shared_data"]
        for page in (root / "man").iterdir():
            shared[str(page)] = f"share/man/man{page.suffix[1:]}/{page.name}"
        for name, place in PLACES.items():
            shared[str(root / "completions" / name)] = place
        if version == "standard":
            build_data["force_include"][str(root / "completions")] = "signac_cli/completions"
