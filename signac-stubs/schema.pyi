from signac_core.schema import *
