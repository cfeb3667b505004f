from signac_core.filterparse import *
