"""Print the parameter list of the study: one state point per line."""

import itertools
import json

TEMPERATURES = [1.5, 1.8, 2.0, 2.1, 2.2, 2.27, 2.35, 2.5, 2.8, 3.5]
LATTICE_SIZES = [8, 16]
SEEDS = [1, 2, 3]

for temperature, size, seed in itertools.product(TEMPERATURES, LATTICE_SIZES, SEEDS):
    print(json.dumps({"model": {"name": "ising", "J": 1.0}, "T": temperature, "L": size, "seed": seed}))
