# make help lists what there is to make.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --build-constraint constraints.txt
PYTEST := $(BIN)/python -m pytest

.PHONY: help setup demo test test-slow lint format docs bench results train-smoke clean

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# Candidates are tried, not only found: a shim on PATH may stand for a version that is not there.
$(BIN)/python:
	@for candidate in $${PYTHON:-} python3 python3.13 python3.12 python3.11; do \
	  if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	    echo "making $(VENV) with $$("$$candidate" -c 'import sys; print(sys.executable, sys.version.split()[0])')"; \
	    "$$candidate" -m venv $(VENV) || { \
	      rm -rf $(VENV); \
	      echo "error: $$candidate cannot make a virtual environment; install its venv package (on Debian: python3-venv)" >&2; \
	      exit 1; }; \
	    exit 0; \
	  fi; \
	done; \
	echo "error: avdetect needs Python 3.11 or newer; none of python3, python3.13, python3.12, python3.11 on PATH is one." >&2; \
	echo "       Install one, or name it: make PYTHON=/path/to/python3.12 <target>" >&2; \
	exit 1

# The stamps make a second run instant; they grow old when what they were made from changes.
$(VENV)/.pip: | $(BIN)/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.3'
	@touch $@

$(VENV)/.runtime: pyproject.toml constraints.txt | $(VENV)/.pip
	@echo "installing avdetect and its dependencies into $(VENV)"
	@$(PIP) -e .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/.pip
	@echo "installing avdetect with what its developers need into $(VENV)"
	@$(PIP) -e '.[train]' --group dev --group docs
	@touch $@ $(VENV)/.runtime

setup: $(VENV)/.dev  ## the virtual environment with everything for development

demo: $(VENV)/.runtime  ## score and audit a real video, a late copy and a dubbed copy
	@$(BIN)/python -m tools.demo

# A process for each core; those of a file stay together, since they share what they prepare.
test: $(VENV)/.dev  ## all tests but the slow ones (ARGS=-n0: in one process)
	@$(PYTEST) -m "not slow" -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS)

test-slow: $(VENV)/.dev  ## the slow tests
	@$(PYTEST) -m slow --timeout 3000

lint: $(VENV)/.dev  ## ruff and pyright
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/pyright

format: $(VENV)/.dev  ## put the code in order
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

docs: $(VENV)/.dev  ## build/docs/index.html
	@$(BIN)/python -m sphinx -W --keep-going -q -b html docs build/docs
	@echo build/docs/index.html

bench: $(VENV)/.dev  ## seconds, real-time factor and memory for a 60 s file (ARGS=--long: also half an hour)
	@$(BIN)/python -m tools.bench run $(ARGS)

results: $(VENV)/.dev  ## measure the default bundle and write docs/results.md (needs the development clips)
	@$(BIN)/python -m tools.results $(ARGS)

train-smoke: $(VENV)/.dev  ## drawn speakers -> records -> a few training steps, to see that it all turns
	@rm -rf build/smoke/run
	@$(BIN)/python -m tools.synthetic_corpus build/smoke/videos
	@$(BIN)/python -m tools.prepare build/smoke/videos/manifest.csv --out build/smoke/records
	@$(BIN)/python -m train.run --config configs/smoke.py --workdir build/smoke/run --set data.records=build/smoke/records

clean:  ## remove what was built (not .venv, not .cache)
	rm -rf build dist .pytest_cache .ruff_cache .hypothesis
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -print0 | xargs -0 rm -rf
