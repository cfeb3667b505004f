from signac_core.errors import DestinationExistsError as DestinationExistsError
from signac_core.errors import StatepointParsingError as StatepointParsingError
from signac_core.import_export import *
from signac_core.job import Job as Job
