PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test lint format benchmark clean

demo: $(STAMP)  ## check an example project, then package its healthy twin
	$(BIN)/lambdalint check fixtures/projects/orders || test $$? -eq 1
	$(BIN)/lambdalint check fixtures/projects/orders-healthy
	$(BIN)/lambdalint package fixtures/projects/orders-healthy --out demo

test: $(STAMP) lint  ## linters, type checks and all tests
	$(BIN)/python -m pytest

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(STAMP)
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

benchmark: $(STAMP)  ## compare with the peers; they are installed into an environment of their own
	$(BIN)/python -m benchmarks

$(STAMP): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "lambdalint needs Python 3.11 or newer")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable . --group dev
	@touch $@

clean:
	rm -rf $(VENV) dist build demo .benchmarks .mypy_cache .ruff_cache .pytest_cache .hypothesis
