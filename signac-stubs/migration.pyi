from signac_core.layout import SCHEMA_VERSION as SCHEMA_VERSION
from signac_core.migration import *
