# Two commands for everybody: `make serve` and `make test`. Both set up what they need in .venv.
PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet

.PHONY: serve test faults lint format bench accuracy peers lock wheel clean

serve: .venv/serve
	$(BIN)/shenyan serve

# On two cores in half the time; whoever looks for one failure runs pytest itself.
test: .venv/dev
	$(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist worksteal $(ARGS)

# Kills processes, stops PostgreSQL and Redis, fills a disk, all of them its own, and counts what was promised. Some minutes.
faults: .venv/dev
	$(BIN)/python -m tests.faults $(ARGS)

lint: .venv/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/shenyan lexicon lint

format: .venv/dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/dev
	$(BIN)/python -m bench $(ARGS)

accuracy: .venv/dev
	$(BIN)/python -m bench.accuracy $(DATA)

# Other word filters, for `make accuracy` to compare with; nothing else needs them.
peers: .venv/dev
	$(BIN)/pip install --quiet --disable-pip-version-check --group peers

# Rewrites both lock files from pyproject.toml: newest versions that fit, with hashes.
lock: .venv/dev
	$(BIN)/pip install --quiet uv
	$(UV) --upgrade pyproject.toml --output-file requirements.lock
	$(UV) --upgrade --group dev pyproject.toml --output-file requirements-dev.lock --constraint requirements.lock

# Built with the pinned hatchling of the lock file, so without a registry.
wheel: .venv/dev
	$(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir dist .

clean:
	rm -rf .venv dist

.venv/bin/pip:
	$(PYTHON) -c 'import sys; sys.exit(None if (3, 11) <= sys.version_info < (3, 14) else "Python 3.11 to 3.13 is needed, this is " + sys.version.split()[0] + "; try: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv

.venv/serve: requirements.lock pyproject.toml | .venv/bin/pip
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

.venv/dev: requirements-dev.lock .venv/serve
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.lock
	touch $@
