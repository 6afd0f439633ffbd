# Everything a newcomer needs: `make run` serves Lumilio Photos, `make test` runs its tests.

PYTHON ?= python3
BIN := .venv/bin
MEMBERS := libs/common services/gateway services/ingest services/processor deploy/local
PROJECTS := $(addsuffix /pyproject.toml,$(MEMBERS))
SOURCES := $(MEMBERS) tests

.PHONY: run test check fmt lock bench chaos clean

run: .venv/ready
	@exec $(BIN)/lumilio up $(ARGS)

test: .venv/ready
	$(BIN)/pytest $(ARGS)

check: .venv/ready
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/pytest -q tests/test_architecture.py

fmt: .venv/ready
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

# About ten minutes; `make bench ARGS=films` measures what begins so.
bench: .venv/ready
	$(BIN)/python -m tests.bench $(ARGS)

# Up to an hour; `make chaos ARGS=power` runs what begins so. Root is needed to cut the power of disks.
chaos: .venv/ready
	$(BIN)/python -m tests.chaos $(ARGS)

# The lock names packages and hashes only: no index, mirror or host.
lock: .venv/ready
	$(BIN)/uv pip compile pyproject.toml --group dev $(PROJECTS) --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-header --no-annotate $(LOCK_ARGS) \
	    $(foreach member,common gateway ingest processor,--no-emit-package $(member)) -o requirements.lock -q > /dev/null

# pip installs uv alone, at the version and hashes of the lock; uv installs the rest in seconds.
.venv/ready: requirements.lock $(PROJECTS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo 'Python 3.11 or newer is needed; name one: make run PYTHON=/path/to/python3.11'; exit 1; }
	@test -x $(BIN)/python || { echo 'Setting up .venv (once, about a minute) ...'; $(PYTHON) -m venv .venv; }
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > .venv/uv.lock
	@test -x $(BIN)/uv || $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r .venv/uv.lock
	@VIRTUAL_ENV=.venv $(BIN)/uv pip sync -q --require-hashes requirements.lock
	@VIRTUAL_ENV=.venv $(BIN)/uv pip install -q --no-deps --no-build-isolation $(addprefix -e ,$(MEMBERS))
	@touch $@

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache
