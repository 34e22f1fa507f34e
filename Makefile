# Every target makes its own virtual environment on a bare Python 3.11+; `make test` is what CI runs.
PYTHON ?= python3
VENV ?= .venv
SITE ?= .venv-site
BIN = $(VENV)/bin
CORES ?= $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
# One thread a process: small networks gain nothing from a second one and lose much beside a busy neighbour.
export OMP_NUM_THREADS ?= 1
# pip compiles nothing (most modules are never imported); so what is imported must be kept compiled.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test check lint bench docs site clean

demo: $(VENV)/.demo  ## install, train, attack, and leave runs/demo/report.html
	$(BIN)/gnomon demo --to runs/demo

test: lint  ## install, then lint, layers, documents, and types next to doctests and tests
	@$(BIN)/python -m mypy > $(VENV)/types.txt 2>&1 & types=$$!; \
	$(BIN)/python -m pytest -n $(CORES) --dist worksteal; tests=$$?; \
	wait $$types; types=$$?; cat $(VENV)/types.txt; exit $$((tests + types))

check: lint  ## lint, layers, generated documents, types
	$(BIN)/python -m mypy

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/python docs/generate.py --check

bench: $(VENV)/.dev  ## speed against the machine's own matrix product and against peers
	for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

docs: $(VENV)/.dev  ## write the documents that are generated from the code, then build the site
	$(BIN)/python docs/generate.py
	$(MAKE) site

site: $(SITE)/.site  ## the documentation as a site in site/; a dead link, or one to a missing anchor, is an error
	NO_MKDOCS_2_WARNING=1 $(SITE)/bin/mkdocs build --strict

clean:  ## remove environments and caches; runs/ stays
	rm -rf $(VENV) $(SITE) site .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install -q --no-compile -c constraints.txt -e '.[torch,fast]'
	touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install -q --no-compile -c constraints.txt -e '.[torch,fast,data,dp,search,automl,onnx,endpoint,ray,dev]'
	touch $@

$(SITE)/.site: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(SITE)
	$(SITE)/bin/python -m pip install -q --no-compile -c constraints.txt -e '.[site]'
	touch $@
