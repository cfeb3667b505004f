from signac_core.h5store import *
