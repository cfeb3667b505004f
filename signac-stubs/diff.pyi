from signac_core.survey.diff import *
