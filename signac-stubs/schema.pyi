from signac_core.survey.schema import *
