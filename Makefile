# Every target sets up what it needs: a virtual environment in .venv, from pyproject.toml and the
# pinned versions of constraints.txt.
#   make report       the main job: report/index.html
#   make test         the test suite
#   make quick        the quick tests, under a minute
#   make help         this list
#   make lint         ruff and mypy
#   make coverage     the suite again, slower: branches that it takes, file by file
#   make experiments  the long experiments; prints its estimate first, resumes after a kill
#   make docs         the site: build/site/index.html, read from disk
#   make bench        speed and accuracy against peers (installs the peers)
#   make faults       kills, flipped bits, full disks: long, prints what each came to
#   make clean        remove what the other targets made
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
REPORT_OPTIONS ?=
EXPERIMENT_OPTIONS ?=
FAULT_OPTIONS ?=
# numbalsoda builds from source and needs gfortran. Built on torch: with their dependencies they would replace the pinned one.
TORCH_PEERS := torchdiffeq torchode torchtyping curvlinops-for-pytorch backpack-for-pytorch \
  einconv linear_operator unfoldNd jaxtyping wadler-lindig einops tqdm PyHessian \
  hessian-eigenthings==1.0.0a5 typeguard==2.13.3 matfree opt_einsum
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help report test quick lint coverage experiments docs bench faults clean
.DELETE_ON_ERROR:

report: $(VENV)/.ready
	$(BIN)/python -m figures report $(REPORT_OPTIONS)

# Files side by side, one worker a core; each with one thread, as its neighbours have theirs.
test: $(VENV)/.ready
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n logical --maxprocesses 8 --dist loadfile

quick: $(VENV)/.ready
	$(BIN)/python -m pytest -m quick

help:
	@sed -n 's/^#   //p' Makefile

# Kernels are compiled anew: what writes their machine code is Python, and counts.
coverage: $(VENV)/.ready
	rm -rf build/kernels
	OMP_NUM_THREADS=1 NUMBA_CACHE_DIR=$(CURDIR)/build/kernels $(BIN)/python -m pytest -n logical --maxprocesses 8 --dist loadfile --cov --cov-report=
	@for package in linmodel proofs_check realnet figures; do \
	  echo "== $$package"; $(BIN)/python -m coverage report --include="$$package/*"; done

lint: $(VENV)/.ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

experiments: $(VENV)/.ready
	$(BIN)/python -m realnet experiments $(EXPERIMENT_OPTIONS)

docs: $(VENV)/.ready-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --clean --site-dir build/site
	@echo build/site/index.html

bench: $(VENV)/.ready-bench
	@bad=; for name in curvature explorer signals sweep; do echo "== $$name"; \
	  PYTHONPATH=. $(BIN)/python tests/benchmarks/bench_$$name.py || bad="$$bad $$name"; done; \
	  test -z "$$bad" || { echo "failed:$$bad"; exit 1; }  # bench_natural needs a folder of images

faults: $(VENV)/.ready
	$(BIN)/python -m tests.faults $(FAULT_OPTIONS)

clean:
	rm -rf $(VENV) report build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage*

$(VENV)/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else \
	  "Python %d.%d found, 3.11 or newer needed: make PYTHON=python3.12 ..." % v[:2])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet 'pip>=25.1'  # knows dependency groups
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[all,audit]' --group dev
	@touch $@

$(VENV)/.ready-docs: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet -c constraints.txt --group docs
	@touch $@

$(VENV)/.ready-bench: $(VENV)/.ready
	@$(BIN)/python -m pip install --quiet -c constraints.txt --group bench || \
	  for peer in heyoka numbalsoda CyRK diffrax; do \
	    $(BIN)/python -m pip install --quiet -c constraints.txt $$peer || echo "$$peer: not installed"; done
	@for peer in $(TORCH_PEERS); do \
	  $(BIN)/python -m pip install --quiet --no-deps $$peer || echo "$$peer: not installed"; done
	@touch $@
