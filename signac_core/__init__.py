"""Data management for parameter studies on file systems, compatible with signac 2.x.

A project is a directory; each point of a parameter space is a job: a directory named after the hash of its state point.
Everything is plain files. The names below are loaded on first use: importing this package costs next to nothing.
"""

from __future__ import annotations

# Type checkers know the name; importing it would cost more than all the rest. A plain False hides names from editors.
TYPE_CHECKING = bool()  # noqa: UP018
if TYPE_CHECKING:
    from . import errors as errors
    from . import sync as sync
    from .buffering import buffered as buffered
    from .buffering import get_buffer_capacity as get_buffer_capacity
    from .buffering import get_current_buffer_size as get_current_buffer_size
    from .buffering import is_buffered as is_buffered
    from .buffering import set_buffer_capacity as set_buffer_capacity
    from .diff import diff_jobs as diff_jobs
    from .h5store import H5Store as H5Store
    from .h5store import H5StoreManager as H5StoreManager
    from .jsondict import JSONDict as JSONDict
    from .project import Project as Project
    from .project import get_job as get_job
    from .project import get_project as get_project
    from .project import init_project as init_project
    from .temporary import TemporaryProject as TemporaryProject
    from .version import __version__ as __version__
else:
    _ROOMS = {
        "Project": "project",
        "TemporaryProject": "temporary",
        "get_project": "project",
        "init_project": "project",
        "get_job": "project",
        "diff_jobs": "diff",
        "buffered": "buffering",
        "is_buffered": "buffering",
        "get_buffer_capacity": "buffering",
        "get_current_buffer_size": "buffering",
        "set_buffer_capacity": "buffering",
        "JSONDict": "jsondict",
        "__version__": "version",
        "H5Store": "h5store",
        "H5StoreManager": "h5store",
    }

    def __getattr__(name):
        """Load a public name, or a module, on first use."""
        from importlib import import_module

        if name in _ROOMS:
            value = getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)
        elif name in ("errors", "sync"):
            value = import_module(f"{__name__}.{name}")
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = value
        return value

    def __dir__():
        return sorted({*globals(), *__all__})


__all__ = [
    "H5Store",
    "H5StoreManager",
    "JSONDict",
    "Project",
    "TemporaryProject",
    "__version__",
    "buffered",
    "diff_jobs",
    "errors",
    "get_buffer_capacity",
    "get_current_buffer_size",
    "get_job",
    "get_project",
    "init_project",
    "is_buffered",
    "set_buffer_capacity",
    "sync",
]
