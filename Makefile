# Two commands on a fresh machine: `make run` and `make test`. Nothing by hand before them.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin

.PHONY: setup setup-dev run test rasa rasa-check check requirements clean

setup: $(VENV)/.base            ## creates .venv with `rangkul` in it
setup-dev: $(VENV)/.dev

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Rangkul needs Python 3.11 or newer; set PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.base: $(VENV)/bin/python requirements/base.txt pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/base.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.base requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

run: setup                      ## the service with a demo data set on 127.0.0.1
	$(BIN)/rangkul run --demo

test: setup-dev                 ## the whole suite
	@sh tools/test_needs.sh
	$(BIN)/python -m pytest

rasa: setup                     ## the Rasa engine: sets up, trains, serves on 127.0.0.1:5005
	$(BIN)/python tools/rasa.py serve

rasa-check: setup-dev           ## a real Rasa server and our client fit together; within 12 minutes
	$(BIN)/python tools/rasa.py check

check: setup-dev                ## linters, types, floors, copy and data
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/rangkul check

requirements:                   ## pins the newest versions, with hashes, naming no host
	uv pip compile --upgrade --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate requirements/base.in -o requirements/base.txt
	uv pip compile --upgrade --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate requirements/dev.in -o requirements/dev.txt
	uv pip compile --upgrade --python-version 3.10 --generate-hashes --no-emit-index-url --no-header --no-annotate requirements/rasa.in -o requirements/rasa.txt

clean:
	rm -rf $(VENV) .venv-rasa var .mypy_cache .ruff_cache .import_linter_cache build *.egg-info
