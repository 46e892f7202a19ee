# Every target does its own set-up: a virtual environment and a pinned install, once.
# On a fresh machine only Python 3.11 or newer and make are needed.

VENV ?= .venv
CANDIDATES := python3 python3.13 python3.12 python3.11 python3.14 python
RECENT := import sys; sys.exit(sys.version_info < (3, 11))
ifndef PYTHON
PYTHON := $(shell for name in $(CANDIDATES); do \
	if $$name -c '$(RECENT)' 2>/dev/null; then echo $$name; break; fi; done)
endif

BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help demo up test test-wheel check lint load protos bench-accuracy bench-foldin bench-index bench-serve bench-report clean clean-data

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | \
		awk -F'|' '{ printf "%-22s %s\n", $$1, $$2 }'

demo up: export FOLDIN_DATA_DIR := $(or $(FOLDIN_DATA_DIR),$(CURDIR)/.foldin)

demo: $(VENV)/.all ## fetch MovieLens, train, serve, and watch a recommender learn from a rating
	@exec $(BIN)/foldin demo

up: $(VENV)/.all ## the same without the story: serves on FOLDIN_ADDRESS until Ctrl-C
	@exec $(BIN)/foldin up

test: lint ## linters, types and every test
	@$(BIN)/python -m pytest -q -n auto --maxprocesses 4 --dist loadfile

test-wheel: $(VENV)/.dev ## the wheel in an empty environment, with the demo; minutes, and 6 GB meanwhile
	@$(BIN)/python deploy/wheel_trial.py

check: test ## what CI runs: the same as test

lint: $(VENV)/.dev ## linters, the rules of imports and types alone
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@report=$$($(BIN)/lint-imports --no-logo --no-cache 2>&1) || { echo "$$report"; exit 1; }
	@$(BIN)/mypy --no-error-summary

load: $(VENV)/.load ## k6 against the server on FOLDIN_ADDRESS
	@$(BIN)/python deploy/k6/run.py

protos: $(VENV)/.dev ## the Python stubs of protos/, again
	@$(BIN)/python deploy/generate_stubs.py

bench-accuracy: $(VENV)/.bench ## the accuracy tables
	@$(BIN)/python -m benchmarks.accuracy

bench-foldin: $(VENV)/.all ## how close and how fast fold-in is
	@$(BIN)/python benchmarks/foldin.py

bench-index: $(VENV)/.all ## a million items: search, memory, start
	@$(BIN)/python benchmarks/index.py

bench-serve: $(VENV)/.bench ## what a recommendation costs over the RPC that carries it
	@$(BIN)/python -m benchmarks.serving

bench-report: $(VENV)/.bench ## benchmarks/README.md from the results
	@$(BIN)/python benchmarks/report.py

clean: ## remove the environment and every cache; ratings and models stay
	@rm -rf $(VENV) .ci/venv .mypy_cache .ruff_cache .pytest_cache .hypothesis

clean-data: ## remove .foldin: the store with its ratings, models, data sets
	@rm -rf .foldin

# One stamp an extra; a change of the requirements installs again.
$(VENV)/.%: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing foldin[$*] into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable '.[$*]'
	@touch $@

$(BIN)/python:
	@'$(PYTHON)' -c '$(RECENT)' 2>/dev/null || { \
		echo "foldin needs Python 3.11 or newer. Looked for: $(or $(PYTHON),$(CANDIDATES))." \
			"Install one, or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	@'$(PYTHON)' -m venv $(VENV)
