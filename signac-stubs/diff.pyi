from signac_core.diff import *
