# Sets up and runs everything. Needs make, git and python3 (3.11 or newer) with venv.
# The environment in .venv is made once, and again when requirements.lock or pyproject.toml change.

PYTHON ?= python3
UV ?= uv
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
LOCKED := $(VENV)/locked.stamp
READY := $(VENV)/ready.stamp
HOUSE := pipeline adapters tui pithead

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo test soak year check format bench lock clean

help:
	@echo 'make demo    a whole company on this machine, in the control room (ARGS=... are handed on)'
	@echo 'make test    all tests (ARGS=... are handed to pytest)'
	@echo 'make soak    storms over many seeds (SEEDS=1000); a small share of them is in make test'
	@echo 'make year    a simulated year, restarted every hour, for YEARS=1 seeds; a share is in make test'
	@echo 'make check   ruff, mypy and the import contracts'
	@echo 'make format  lay the code out as make check wants it'
	@echo 'make bench   measure it, beside other programs (ARGS=... are handed on)'
	@echo 'make setup   only the environment in $(VENV); PYTHON=... chooses another python3'
	@echo 'make lock    renew requirements.lock from pyproject.toml; needs uv'
	@echo 'make clean   remove the environment, caches and build results'

setup: $(READY)

demo: $(READY)
	@$(BIN)/pithead demo $(ARGS)

test: $(READY)
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

SEEDS ?= 1000
soak: $(READY)
	@PITHEAD_CHAOS_SEEDS=$(SEEDS) $(BIN)/python -m pytest tests/pipeline/test_chaos.py $(ARGS)

YEARS ?= 1
year: $(READY)
	@PITHEAD_YEARS=$(YEARS) $(BIN)/python -m pytest tests/pipeline/test_year.py $(ARGS)

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: $(READY)
	@$(BIN)/python -m tests.bench $(ARGS)

$(LOCKED): requirements.lock
	@command -v $(PYTHON) >/dev/null || \
		{ echo 'pithead: no $(PYTHON) on PATH: on Debian: apt install python3 python3-venv' >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "pithead: $$($(PYTHON) --version) is too old: 3.11 or newer is needed: make PYTHON=python3.11 ..." >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo 'pithead: $(PYTHON) cannot make environments: ensurepip is missing: on Debian: apt install python3-venv' >&2; exit 2; }
	@echo 'Installing what requirements.lock names into $(VENV), once ...'
	@rm -f $(LOCKED) $(READY)
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

$(READY): $(LOCKED) pyproject.toml
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q $(HOUSE)
	@touch $@

lock:
	$(UV) pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet $(ARGS) -o requirements.lock

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find $(HOUSE) tests -name __pycache__ -type d -prune -exec rm -rf {} +
