# Everything a newcomer types. `make help` lists it.
PYTHON ?= python3
VENV ?= .venv
PY := $(VENV)/bin/python
COLLAPSE := outputs/reference/collapse/released
ENTROPY := outputs/reference/entropy/second_beta
TUTORIAL := outputs/reference/tutorial
RUNS ?= $(COLLAPSE)
WHERE ?=
OVERRIDES ?=
export WHERE OVERRIDES
HERE = $(if $(wildcard $(PY)),$(PY),$(PYTHON))  # an environment that exists already will do
BESIDE := --numprocesses 2 --dist worksteal  # tests that share a fixture mostly stay together

.PHONY: help install demo test test-slow test-slurm test-gpu lint figures reproduce readme coverage bench bench-gpu docs clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

install: $(VENV)/installed  ## create .venv and install grokpipe into it

demo: $(VENV)/installed  ## a small weight-decay grid on MNIST: train, τ table, figure
	$(PY) -m grokpipe -m experiment=demo
	$(PY) -m analysis timescales outputs/demo
	$(PY) -m analysis figures outputs/demo

test: $(VENV)/installed-test  ## lint, types and the tests of every module (minutes)
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy & \
	$(PY) -m pytest $(BESIDE) -m 'not slow and not slurm'; tests=$$?; \
	wait $$! && exit $$tests  # types are checked beside the tests: by one process, in half a minute

test-slow: $(VENV)/installed-test  ## kills, simulations, the documents' commands, a browser (minutes)
	$(PY) -m pytest $(BESIDE) --numprocesses 3 -m 'slow and not slurm'  # kills wait more than they compute

test-slurm: $(VENV)/installed-test  ## the tests on a real SLURM, which root on Debian can install and run
	$(PY) -m pytest -m slurm

test-gpu:  ## the tests on a GPU, in an environment that has PyTorch for it and pytest
	$(HERE) -m pytest -m gpu tests/grokpipe/training/test_cuda.py

figures: $(VENV)/installed  ## draw all published figures and the reports from stored tables; RUNS=outputs/default for one's own, WHERE='lr=0.003' for a part
	$(PY) -m analysis figures $(RUNS)$(if $(WHERE), --where "$$WHERE")
ifeq ($(RUNS)$(WHERE),$(COLLAPSE))
	$(PY) -m analysis report
endif

reproduce: $(VENV)/installed  ## train, remeasure, gather and report a whole paper: PAPER=entropy; DRY=1 tells what remains (docs/reproduce.md)
	$(PY) -m analysis reproduce $(PAPER)$(if $(DRY), --dry-run)$(if $(SMALL), --small)$(if $(LAUNCHER), --launcher $(LAUNCHER))$(if $(ONLY), --only $(ONLY))$(if $(TO), --to $(TO))$(if $(OVERRIDES), --overrides "$$OVERRIDES")

readme: $(VENV)/installed  ## renew stored tables, their figures, and the numbers in README.md and docs/ (minutes)
	$(PY) -m analysis timescales $(COLLAPSE) --event all --long
	$(PY) -m analysis figures $(COLLAPSE)
	$(PY) -m analysis compare $(COLLAPSE) --event tau2_half,tau_rnc1@0.1 --by weight_decay --baseline 0.3
	$(PY) -m analysis fit $(COLLAPSE)
	$(PY) -m analysis synchrony $(COLLAPSE)
	$(PY) -m analysis timescales $(ENTROPY) --event all --long
	$(PY) -m analysis compare $(ENTROPY) --event t_grok --by optimizer.betas --baseline '[0.9, 0.999]'
	$(PY) -m analysis forecast $(ENTROPY)
	$(PY) -m analysis paper entropy settings
	$(PY) -m analysis report
	for table in $(dir $(ENTROPY))*/tables/timescales_t_grok_long.csv; do \
		$(PY) -m analysis timescales $${table%/tables/*} --event t_grok --long || exit; done
	$(PY) -m analysis order $(TUTORIAL) --columns spectral/entropy_train,test_accuracy
	$(PY) -m analysis figures $(TUTORIAL) --columns test_accuracy,spectral/entropy_train --by weight_decay,lr
	$(PY) -m docs.numerics_numbers
	$(PY) -m docs.stored_numbers

coverage: $(VENV)/installed  ## simulate what the 95 % intervals hold, about 50 minutes
	$(PY) -m benchmarks.coverage --store

bench: $(VENV)/installed-bench  ## time packs and the main job against plain loops and JAX, about 30 minutes
	$(PY) -m benchmarks.packs --store
	$(PY) -m benchmarks.main_job --store
	$(PY) -m benchmarks.launch --store
	$(PY) -m benchmarks.status --store
	$(PY) -m benchmarks.gather --store
	$(PY) -m benchmarks.monitor --store
	$(PY) -m benchmarks.subnormals --store
	$(PY) -m benchmarks.threads --store

bench-gpu:  ## time packs on a GPU, in an environment that has PyTorch for it, at most 8 minutes
	$(HERE) -m benchmarks.gpu --store

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

$(VENV)/installed-bench: $(VENV)/installed
	$(PY) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[bench]' \
		|| echo 'JAX cannot be installed here: its contenders are skipped'
	touch $@
