# The two commands a new user needs: make demo, make test. Both do all the set-up.
PYTHON ?= python3
BIN := .venv/bin
export UV_PYTHON_DOWNLOADS := never

.PHONY: demo test lint setup bench clean

setup: .venv/.ready

.venv/.ready: pyproject.toml uv.lock
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv sync --quiet --locked --extra dev --python $(BIN)/python
	touch .venv/.ready

demo: setup
	$(BIN)/lissive case examples/ms-new-york.yaml --report out/demo

test: setup
	$(BIN)/python -m pytest

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup
	$(BIN)/lissive bench

clean:
	rm -rf .venv out
