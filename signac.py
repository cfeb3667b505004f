"""The import name of signac 2.x: ``import signac`` gives :mod:`signac_core`.

This is one module, not a package, and every module of ``signac_core`` is a module of it: ``signac.project`` *is*
``signac_core.project``, loaded when it is asked for. A class has the same identity under both names, and so do pickles.

A package named ``signac`` would share its directory with an installation of signac 2.x and be deleted along with it.

Examples
--------
>>> import signac, signac_core
>>> signac.Project is signac_core.Project
True
>>> from signac.job import calc_id
>>> calc_id({"a": 0})
'9bfd29df07674bc4aa960cf661b5acd2'

"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from signac_core.version import COMPATIBLE_VERSION as __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    from signac_core import H5Store as H5Store
    from signac_core import H5StoreManager as H5StoreManager
    from signac_core import JSONDict as JSONDict
    from signac_core import Project as Project
    from signac_core import TemporaryProject as TemporaryProject
    from signac_core import buffered as buffered
    from signac_core import diff_jobs as diff_jobs
    from signac_core import errors as errors
    from signac_core import get_buffer_capacity as get_buffer_capacity
    from signac_core import get_current_buffer_size as get_current_buffer_size
    from signac_core import get_job as get_job
    from signac_core import get_project as get_project
    from signac_core import init_project as init_project
    from signac_core import is_buffered as is_buffered
    from signac_core import set_buffer_capacity as set_buffer_capacity
    from signac_core import sync as sync

__all__ = [  # noqa: RUF022  # the order is that of signac 2.x
    "__version__",
    "errors",
    "sync",
    "Project",
    "TemporaryProject",
    "get_project",
    "init_project",
    "get_job",
    "diff_jobs",
    "buffered",
    "is_buffered",
    "get_buffer_capacity",
    "get_current_buffer_size",
    "set_buffer_capacity",
    "JSONDict",
    "H5Store",
    "H5StoreManager",
]

__path__: list[str] = []  # modules below this one are found by _Finder, nowhere on disk

_CORE = "signac_core"

_FACADES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "_utility": {"_to_hashable": ("survey.schema", "hashable")},
    "h5store": {
        "H5Group": ("hdf5.store", "H5Group"),
        "H5Store": ("hdf5.store", "H5Store"),
        "H5StoreAlreadyOpenError": ("errors", "H5StoreAlreadyOpenError"),
        "H5StoreClosedError": ("errors", "H5StoreClosedError"),
        "H5StoreManager": ("hdf5.manager", "H5StoreManager"),
    },
    "linked_view": {"create_linked_view": ("import_export", "create_linked_view")},
    "version": {"__version__": ("version", "COMPATIBLE_VERSION"), "SCHEMA_VERSION": ("layout", "SCHEMA_VERSION")},
}
"""Modules without a room of the same meaning: their names, and the room and name that each one stands for."""

_ROOMS = {"diff": "survey.diff", "migration": "care.migration", "schema": "survey.schema"}
"""Modules of signac 2.x that lie in a package of the core."""


class _Finder:
    """Finds ``signac.X``: a module of the core, or one of the table above.

    It is its own loader. A loaded module replaces itself in ``sys.modules`` by the one of the core, which is thereby
    left untouched: it keeps its own name and spec.
    """

    @staticmethod
    def find_spec(
        fullname: str, path: Iterable[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Tell the import system who loads a module; None for modules that are not below this one."""
        parent, _, name = fullname.partition(".")
        if parent != __name__ or not name:
            return None
        from importlib.machinery import ModuleSpec

        return ModuleSpec(fullname, _Finder) if name in _FACADES or _is_room(name) else None  # type: ignore[arg-type]

    @staticmethod
    def create_module(spec: ModuleSpec) -> None:
        """Leave it to the import system to make an empty module."""

    @staticmethod
    def exec_module(module: ModuleType) -> None:
        """Replace the empty module by that of the core, or fill it from the table."""
        from importlib import import_module

        name = module.__name__.partition(".")[2]
        if name not in _FACADES:
            sys.modules[module.__name__] = import_module(f"{_CORE}.{_ROOMS.get(name, name)}")
            return
        names = {
            public: getattr(import_module(f"{_CORE}.{room}"), original)
            for public, (room, original) in _FACADES[name].items()
        }
        module.__dict__.update(names, __all__=sorted(names))


def _is_room(name: str) -> bool:
    from importlib.util import find_spec

    return name in _ROOMS or find_spec(f"{_CORE}.{name}") is not None


if __name__ == "__main__":
    from signac_cli import start

    start()

# First of all: another finder could load a module of a sub-package of the core a second time, under this name. There is
# one, also when this module is loaded again.
sys.meta_path[:] = [
    _Finder,
    *(finder for finder in sys.meta_path if getattr(finder, "__module__", None) != __name__),
]

if not TYPE_CHECKING:

    def __getattr__(name):
        """Load a public name, or a module, on first use."""
        from importlib import import_module

        value = getattr(import_module(_CORE), name) if name in __all__ else _module(name)
        globals()[name] = value
        return value

    def _module(name):
        """Load a module that is asked for as an attribute, as in ``import signac; signac.job``."""
        from importlib import import_module

        if not name.startswith("__"):
            try:
                return import_module(f"{__name__}.{name}")
            except ModuleNotFoundError as error:
                if error.name != f"{__name__}.{name}":
                    raise
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__():
        return sorted({*globals(), *__all__})
