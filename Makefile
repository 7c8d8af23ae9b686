# Everything a developer or CI runs. `make help` is made from the comments behind two hash signs.
# A target sets up what it needs; nothing has to be installed first but Python 3.11, make and a C compiler.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SHARED ?= ../shared
TESTS ?= tests
ARGS ?=

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- Environment -------------------------------------------------------------------------------

# Two steps, both hashed: first what builds packages, then the rest, so that nothing is built in isolation with
# unpinned tools. The stamp makes it happen once, and again when a lock or the project file changes.
$(READY): requirements-build.lock requirements-dev.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed (set PYTHON=/path/to/python)" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "$(PYTHON) is older than Python 3.11 (set PYTHON=/path/to/python)" >&2; exit 1; }
	@echo "Preparing $(VENV) from the locked requirements (once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --require-hashes --no-build-isolation -r requirements-build.lock
	@$(BIN)/python -m pip install --quiet --require-hashes --no-build-isolation -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $(READY)

.PHONY: install
install: $(READY) ## Make the environment in .venv (every other target does it when needed)

.PHONY: lock
lock: $(READY) ## Renew uv.lock and the hashed requirement files from pyproject.toml
	@test -x .cache/uv/bin/uv || { $(PYTHON) -m venv .cache/uv && .cache/uv/bin/pip install --quiet 'uv>=0.13.8'; }
	.cache/uv/bin/uv lock --quiet $(ARGS)
	.cache/uv/bin/uv export --quiet --frozen --only-group build $(EXPORT) --output-file requirements-build.lock
	.cache/uv/bin/uv export --quiet --frozen --all-groups $(EXPORT) --output-file requirements-dev.lock

EXPORT := --format requirements-txt --no-emit-project --no-header --no-annotate

# --- Running -----------------------------------------------------------------------------------

.PHONY: demo
demo: $(READY) ## Start, initialise and unseal a server, write and read a secret, leave it running
	@$(BIN)/python demo/demo.py $(ARGS)

.PHONY: stop-demo
stop-demo: ## Stop the server that `make demo` left
	@if test -x $(BIN)/python; then $(BIN)/python demo/demo.py --stop; else echo "no demo server is running"; fi

.PHONY: dev
dev: $(READY) ## One unsealed dev server on 127.0.0.1:8200 (in memory, root token "root")
	@exec $(BIN)/strongroom server -dev -dev-root-token-id=root -dev-listen-address=127.0.0.1:8200 $(ARGS)

# --- Tests -------------------------------------------------------------------------------------

.PHONY: test
test: $(READY) ## Unit, property and client tests, under two minutes
	@$(BIN)/pytest -n 2 --dist worksteal -m "not slow" -rs $(ARGS) $(TESTS)

.PHONY: conformance
conformance: $(READY) ## Replay the recorded answers (needs ../shared/conformance, or SHARED=folder)
	@STRONGROOM_SHARED="$(SHARED)" $(BIN)/pytest -n 2 --dist worksteal -m "slow or not slow" -rs $(ARGS) tests/compat/test_conformance.py

.PHONY: drill
drill: $(READY) ## Fault drills: processes killed under load, torn and flipped journals
	@$(BIN)/pytest -m "slow or not slow" -rs $(ARGS) tests/faults

.PHONY: sim
sim: $(READY) ## Play seeded schedules of a raft cluster: ARGS="--seeds 20000 --start 0"
	@PYTHONPATH=tests $(BIN)/python -m sim --seeds 2000 --jobs 2 $(ARGS)

.PHONY: fuzz
fuzz: $(READY) ## Bad input: fuzzers and a schemathesis run over our own OpenAPI
	@$(BIN)/pytest -m "slow or not slow" -rs $(ARGS) tests/fuzz tests/compat/test_schemathesis.py

.PHONY: bench
bench: $(READY) ## CPU per request and throughput beside OpenBao; prints the table, writes JSON
	@$(BIN)/python benchmarks/macro/compare.py $(ARGS)

.PHONY: bench-scale
bench-scale: $(READY) ## One million secrets and 200,000 leases: unseal, memory, listing, reads
	@$(BIN)/python benchmarks/macro/scale.py $(ARGS)

.PHONY: bench-report
bench-report: $(READY) ## Make docs/performance.md from the newest results
	@$(BIN)/python benchmarks/macro/report.py

# --- Checks ------------------------------------------------------------------------------------

.PHONY: check
check: lint types imports spelling tidy ## Format, lint, types, import rules, spelling, tidy test

.PHONY: fmt
fmt: $(READY) ## Format the code and fix what can be fixed
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix --quiet .

.PHONY: lint
lint: $(READY) ## Format and lint rules, without changing anything
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .

.PHONY: types
types: $(READY) ## mypy --strict over the three packages
	@$(BIN)/mypy

.PHONY: imports
imports: $(READY) ## The layer contracts of .importlinter
	@$(BIN)/lint-imports --cache-dir .cache/imports

.PHONY: spelling
spelling: $(READY) ## codespell over code and documents
	@$(BIN)/codespell

.PHONY: tidy
tidy: $(READY) ## File sizes, leftovers, mirror of tests, wheel content
	@$(BIN)/pytest tests/packaging

.PHONY: ci
ci: ## What CI runs; nothing else
	@.ci/run

.PHONY: clean
clean: stop-demo ## Remove the environment, caches and run files
	@rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist run
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
