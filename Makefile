# The two commands a new user needs: make demo, make test. Both do all the set-up.
PYTHON ?= python3
BIN := .venv/bin
export UV_PYTHON_DOWNLOADS := never
# Trust what this computer trusts, also behind a company's proxy.
export UV_SYSTEM_CERTS := true

# Django's settings of the clinic need a process of their own.
CLINIC := $(BIN)/python -m pytest -o addopts='-q --max-worker-restart=0 --doctest-modules --import-mode=importlib --strict-markers --ds=tests.clinic.settings' tests/clinic src/lissive/clinic

.PHONY: demo test slow browser install campaign baseline baseline-check calibration validation credibility docs docs-all lint setup bench benchmarks metafor packages archive versions clean

# For users: lissive and what it needs, no developers' tools.
install: .venv/.installed
# For developers: all extras and the tools of the checks, in the same environment.
setup: .venv/.ready

# The locked versions by uv; where uv cannot reach its index, the newest ones by pip and pip's own settings.
.venv/.installed: pyproject.toml uv.lock
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv sync --quiet --locked --inexact --python $(BIN)/python \
	  || $(BIN)/python -m pip install --quiet --editable .
	touch $@

.venv/.ready: .venv/.installed
	$(BIN)/uv sync --quiet --locked --extra dev --python $(BIN)/python \
	  || $(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

demo: install
	$(BIN)/lissive case examples/ms-uk.yaml --report out/demo

# A file of tests stays with one worker, so that what they share is computed once.
test: setup
	$(BIN)/python -m pytest --dist loadfile
	$(BIN)/python -m pytest -n 0 -m 'web and not slow and not browser' tests/web
	$(CLINIC) -n 2 -m 'not slow and not browser'

# Whole simulations by another solver or of many people, fits, pages in a browser. A quarter of an hour.
slow: setup
	$(BIN)/python -m pytest --dist loadfile -m 'slow and not web'
	$(BIN)/python -m pytest -n 0 -m 'slow and web' tests/web
	$(CLINIC) -n 2 -m 'slow and not browser'

# The site and the calculator in Chromium: axe, keyboard, widths, no request to elsewhere. A quarter of an hour.
browser: setup
	$(BIN)/python -m pytest -n 0 -m browser tests/site tests/web
	$(CLINIC) -n 0 -m browser

# Many more random inputs than `make test` draws. Some minutes.
campaign: setup
	LISSIVE_CAMPAIGN=full $(BIN)/python -m pytest -m campaign

# What moved since the numbers in tests/baseline were kept, to the last digit; then the new ones are kept.
baseline: setup
	$(BIN)/python -m tests.baseline

# The slow half of that comparison, which tests on every machine; the quick half is in `make test`. Two minutes.
baseline-check: setup
	$(BIN)/python -m pytest -m baseline tests/baseline

# Do the shipped parameters still follow from the shipped studies? Some minutes.
calibration: setup
	$(BIN)/python -m pytest -m calibration

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Does docs/validation.md show what the model says now? About a minute.
validation: setup
	$(BIN)/lissive validate --docs docs/validation.md --check

# One site of all pages, the reference and the public pages, into out/docs; strictly. A minute and a half.
docs: setup
	$(BIN)/python docs/site.py out/docs

# Every block of the pages, those of minutes too, which `make slow` leaves out. Hours. To renew a page: python -m tests.doc_blocks PAGE.
docs-all: docs
	LISSIVE_DOCS=all $(BIN)/python -m pytest -n 0 -m '' tests/test_docs.py

# docs/credibility.md again, from tables and from the two pages of results. A second.
credibility: setup
	$(BIN)/python -m lissive.report.credibility docs

# The sdist and the wheel, into dist/, each tried in an empty environment of every Python that is at hand, with some tests.
# A minute for each Python.
packages: setup
	.ci/packages dist

# Pooling beside R's metafor, where R has it (on Debian: apt install r-cran-metafor); the other tests hold its kept results.
metafor: setup
	$(BIN)/python -m pytest -n 0 -m metafor tests/bench

# The page of comparisons with other solvers and metafor, docs/benchmarks.md. A quarter of an hour on a quiet machine.
benchmarks: setup
	$(BIN)/uv pip install --quiet --python $(BIN)/python --editable '.[bench]'
	$(BIN)/lissive bench --peers all --petab examples/petab --out benchmarks/results/peers.json --docs docs --force

# Data sets, documentation, licence and checksums as one zip, into dist/: the same bytes from the same commit.
archive:
	.ci/archive dist

# A new date and hash for each data set whose files have changed.
versions: setup
	$(BIN)/python -m lissive.versions

bench: setup
	$(BIN)/lissive bench

clean:
	rm -rf .venv out dist
