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
    from .documents.buffer import buffered as buffered
    from .documents.buffer import get_buffer_capacity as get_buffer_capacity
    from .documents.buffer import get_current_buffer_size as get_current_buffer_size
    from .documents.buffer import is_buffered as is_buffered
    from .documents.buffer import set_buffer_capacity as set_buffer_capacity
    from .documents.views import JSONDict as JSONDict
    from .hdf5.manager import H5StoreManager as H5StoreManager
    from .hdf5.store import H5Store as H5Store
    from .project import Project as Project
    from .project import TemporaryProject as TemporaryProject
    from .project import get_job as get_job
    from .project import get_project as get_project
    from .project import init_project as init_project
    from .survey.diff import diff_jobs as diff_jobs
    from .version import __version__ as __version__
else:
    _ROOMS = {
        "Project": "project",
        "TemporaryProject": "project",
        "get_project": "project",
        "init_project": "project",
        "get_job": "project",
        "diff_jobs": "survey.diff",
        "buffered": "documents.buffer",
        "is_buffered": "documents.buffer",
        "get_buffer_capacity": "documents.buffer",
        "get_current_buffer_size": "documents.buffer",
        "set_buffer_capacity": "documents.buffer",
        "JSONDict": "documents.views",
        "__version__": "version",
        "H5Store": "hdf5.store",
        "H5StoreManager": "hdf5.manager",
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

    def late_names(names, places):
        """Give a module, at its end, names that are loaded on first use, also on first look at an annotation."""

        def load(name):
            if name not in places:
                raise AttributeError(f"module {names['__name__']!r} has no attribute {name!r}")
            from importlib import import_module

            place = places[name]
            names[name] = getattr(import_module(place, __name__), name) if place else import_module(name)
            return names[name]

        class Annotations(dict):
            """What annotations are, strings here, whose names are loaded before anybody sees them."""

            __slots__ = ()

            def _load(self):
                import re

                for text in dict.values(self):
                    for name in re.findall(r"\w+", str(text)):
                        if name in places and name not in names:
                            load(name)

            def __iter__(self):
                self._load()
                return super().__iter__()

            def keys(self):
                self._load()
                return super().keys()

            def items(self):
                self._load()
                return super().items()

        def annotate(thing):
            if isinstance(thing, type):
                for member in list(vars(thing).values()):
                    annotate(member)
            elif isinstance(thing, property):
                annotate(thing.fget)
                annotate(thing.fset)
            thing = getattr(thing, "__func__", thing)  # of a method of the class
            annotations = getattr(thing, "__annotations__", None)
            if annotations and type(annotations) is dict and thing.__module__ == names["__name__"]:
                thing.__annotations__ = Annotations(annotations)

        for thing in list(names.values()):
            if getattr(thing, "__module__", None) == names["__name__"]:
                annotate(thing)
        return load


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
