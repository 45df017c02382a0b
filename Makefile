# Everything a newcomer types. `make help` lists it.
PYTHON ?= python3
VENV ?= .venv
PY := $(VENV)/bin/python
RUNS ?= outputs/reference/collapse/weight_decay

.PHONY: help install demo test test-slurm lint figures readme bench docs clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

install: $(VENV)/installed  ## create .venv and install grokpipe into it

demo: $(VENV)/installed  ## a small weight-decay grid on MNIST: train, τ table, figure
	$(PY) -m grokpipe -m experiment=demo
	$(PY) -m analysis timescales outputs/demo
	$(PY) -m analysis figures outputs/demo

test: $(VENV)/installed-test  ## lint, types and tests
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(PY) -m pytest --numprocesses 2 -m 'not slurm'

test-slurm: $(VENV)/installed-test  ## the tests on a real SLURM, which root on Debian can install and run
	$(PY) -m pytest -m slurm tests/slurm

figures: $(VENV)/installed  ## draw all published figures from stored tables; RUNS=outputs/default for one's own
	$(PY) -m analysis figures $(RUNS)

readme: $(VENV)/installed  ## renew the numbers in README.md from the stored tables
	$(PY) -m analysis timescales outputs/reference/collapse/weight_decay
	$(PY) docs/stored_numbers.py

bench: $(VENV)/installed  ## time packs and the main job against plain loops, about 30 minutes
	$(PY) -m benchmarks.packs --store
	$(PY) -m benchmarks.main_job --store
	$(PY) -m benchmarks.launch --store
	$(PY) -m benchmarks.status --store
	$(PY) -m benchmarks.gather --store

docs: $(VENV)/installed  ## build the documentation into site/
	$(PY) -m pip install --quiet --constraint constraints.txt --editable '.[docs]'
	$(VENV)/bin/mkdocs build --strict

clean:  ## remove .venv and caches, never outputs
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache site

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "grokpipe needs Python 3.11 or newer, not " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(PY) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test]'
	touch $@
