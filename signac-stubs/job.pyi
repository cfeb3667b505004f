from signac_core.errors import DestinationExistsError as DestinationExistsError
from signac_core.errors import JobsCorruptedError as JobsCorruptedError
from signac_core.hdf5.manager import H5StoreManager as H5StoreManager
from signac_core.job import *
from signac_core.sync import sync_jobs as sync_jobs
