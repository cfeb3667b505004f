from signac_core.errors import DestinationExistsError as DestinationExistsError
from signac_core.errors import DocumentSyncConflict as DocumentSyncConflict
from signac_core.errors import FileSyncConflict as FileSyncConflict
from signac_core.errors import SchemaSyncConflict as SchemaSyncConflict
from signac_core.sync import *
