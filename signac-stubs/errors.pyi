from signac_core.errors import *
