"""HDF5 data of jobs and projects: dictionaries of arrays."""
