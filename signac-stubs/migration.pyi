from signac_core.care.migration import *
from signac_core.layout import SCHEMA_VERSION as SCHEMA_VERSION
