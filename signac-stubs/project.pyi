from signac_core.cursor import JobsCursor as JobsCursor
from signac_core.errors import DestinationExistsError as DestinationExistsError
from signac_core.errors import IncompatibleSchemaVersion as IncompatibleSchemaVersion
from signac_core.errors import JobsCorruptedError as JobsCorruptedError
from signac_core.errors import WorkspaceError as WorkspaceError
from signac_core.filterparse import parse_filter as parse_filter
from signac_core.hdf5.manager import H5StoreManager as H5StoreManager
from signac_core.job import Job as Job
from signac_core.job import calc_id as calc_id
from signac_core.layout import SCHEMA_VERSION as SCHEMA_VERSION
from signac_core.project import *
from signac_core.project import TemporaryProject as TemporaryProject
from signac_core.survey.schema import ProjectSchema as ProjectSchema
from signac_core.sync import sync_projects as sync_projects
