"""Readable paths of jobs, and state points read from such paths."""
