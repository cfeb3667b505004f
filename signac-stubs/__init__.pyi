"""What type checkers and editors see of ``signac``, which is one module that passes on those of ``signac_core``."""

from signac_core import H5Store as H5Store
from signac_core import H5StoreManager as H5StoreManager
from signac_core import JSONDict as JSONDict
from signac_core import Project as Project
from signac_core import TemporaryProject as TemporaryProject
from signac_core import buffered as buffered
from signac_core import diff_jobs as diff_jobs
from signac_core import get_buffer_capacity as get_buffer_capacity
from signac_core import get_current_buffer_size as get_current_buffer_size
from signac_core import get_job as get_job
from signac_core import get_project as get_project
from signac_core import init_project as init_project
from signac_core import is_buffered as is_buffered
from signac_core import set_buffer_capacity as set_buffer_capacity
from signac_core.version import COMPATIBLE_VERSION as __version__

from . import diff as diff
from . import errors as errors
from . import filterparse as filterparse
from . import h5store as h5store
from . import job as job
from . import project as project
from . import schema as schema
from . import sync as sync
from . import version as version

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
