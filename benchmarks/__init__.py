"""Speed against signac 2.4.1 and against the floor, measured in one run: ``make bench``."""
