from signac_core.layout import SCHEMA_VERSION as SCHEMA_VERSION
from signac_core.version import COMPATIBLE_VERSION as __version__

__all__ = ["SCHEMA_VERSION", "__version__"]
