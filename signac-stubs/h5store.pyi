from signac_core.hdf5.store import *
