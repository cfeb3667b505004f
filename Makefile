# make demo      run the example study in a fresh environment
# make test      run the quick tests in a fresh environment
# make coverage  the same, and measure how much of the packages they run
# All need Python 3.11 or newer and pip, nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
STAMP := $(VENV)/.ready
QUICK := -m "not slow or roundtrip" --ignore-glob='tests/faults/test_*promises.py' --ignore=tests/completion/test_shells.py

.PHONY: all demo test coverage pythons lowest lint types generated drift shells peer faults file-systems torture bench bench-quick clean

all: lint types test

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,lint,tables]'
	@touch $@

demo: $(STAMP)
	rm -rf build/ising
	PATH="$(BIN):$$PATH" PYTHON="$(BIN)/python" examples/ising/run.sh build/ising

# with MEASURE=1 they also tell, and judge, what they cover: at least 94 % of the statements and of the branches, not
# counting what runs in other processes
test: $(STAMP)
	mkdir -p build
	$(BIN)/python -m pytest -q -n 2 $(QUICK) $(if $(MEASURE),--cov --cov-report=json:build/coverage.json)
	$(if $(MEASURE),$(BIN)/python ci/covered.py)

coverage:
	rm -f build/coverage build/coverage.*
	$(MAKE) test MEASURE=1

# most of the quick tests on every other supported Python that this machine has
pythons: $(STAMP)
	$(BIN)/python ci/pythons.py pythons

# the same on the oldest one, with the lowest versions of the dependencies
lowest: $(STAMP)
	$(BIN)/python ci/pythons.py lowest

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(STAMP)
	$(BIN)/mypy

# man/ and completions/, from the commands
generated: $(STAMP)
	$(BIN)/python -m tools

drift: $(STAMP)
	$(BIN)/python -m tools --check

shells: $(STAMP)
	$(BIN)/python -m pytest -q tests/completion

peer: $(STAMP)
	$(BIN)/python -m pytest -q -n 2 --dist loadgroup tests/peer tests/packaging

# a part of the fault tests that changes with the commit, or the one that SIGNAC_FAULT_PART names
faults: $(STAMP)
	$(BIN)/python -m tests.faults.torture

# the main ones on every kind of file system that can be mounted (as root)
file-systems: $(STAMP)
	$(BIN)/python -m pytest -q -n 2 --dist loadgroup tests/faults/test_file_system_promises.py

# all of them, with counts for the record; the same done to signac 2.4.1; random input
torture: $(STAMP)
	$(BIN)/python -m tests.faults.torture --part all --write
	$(BIN)/python -m tests.faults.compare --write
	$(BIN)/python -m tests.fuzz.marathon --write

# everything takes some hours
bench: $(STAMP)
	$(BIN)/python -m benchmarks --write

bench-quick: $(STAMP)
	$(BIN)/python -m benchmarks --quick

clean:
	rm -rf build dist .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
