# Everything needs only python3, make and the package index; each target makes its own environment.
PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
RUNTIME ?= asyncio
HOST    ?= 127.0.0.1
PORT    ?= 8080
ARGS    ?=

.PHONY: run test test-browser check bench news clean

run: $(VENV)/.run       ## serve the demo: make run RUNTIME=trio PORT=9000
	$(BIN)/python -m examples.demo --runtime $(RUNTIME) --host $(HOST) --port $(PORT)

test: $(VENV)/.test     ## the whole suite on asyncio, uvloop and trio
	$(BIN)/python -m pytest -n 2 --dist loadgroup $(ARGS)

test-browser: $(VENV)/.browser   ## the demo's page in a headless Chromium; needs: apt-get install chromium chromium-driver
	$(BIN)/python -m pytest tests/browser $(ARGS)

check: $(VENV)/.check   ## ruff, mypy --strict, pyright --strict, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports

bench: $(VENV)/.bench   ## side by side with the peers: make bench ARGS="--rounds 3 --json out.json"
	$(BIN)/python -m benchmarks $(ARGS)

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.run: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[trio,uvloop,anyio]"
	touch $@

$(VENV)/.test: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[test]"
	touch $@

$(VENV)/.browser: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[browser]"
	touch $@ $(VENV)/.test

$(VENV)/.check: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[check]"
	touch $@ $(VENV)/.test

$(VENV)/.bench: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[bench]"
	touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
