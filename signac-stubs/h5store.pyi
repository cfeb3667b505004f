from signac_core.hdf5.manager import *
from signac_core.hdf5.store import *
