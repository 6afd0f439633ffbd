# Everything a newcomer needs: `make run` serves Lumilio Photos, `make test` runs its tests.

PYTHON ?= python3
BIN := .venv/bin
MEMBERS := libs/common libs/client protos services/gateway services/ingest services/processor services/syncer \
    services/ml-dispatcher services/ml-server deploy/local
PROJECTS := $(addsuffix /pyproject.toml,$(MEMBERS))
SOURCES := $(MEMBERS) tests
PROTO := home_native/v1/ml_service.proto

# A process that finds its modules compiled starts in half the time, and a run of the tests starts thousands.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test check fmt contract protos release lock bench chaos clean

run: .venv/ready
	@exec $(BIN)/lumilio up $(ARGS)

test: .venv/ready
	$(BIN)/pytest $(ARGS)

check: .venv/ready
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/pytest -q tests/test_architecture.py tests/test_contract.py

fmt: .venv/ready
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

# What the server says of itself, written down, and the client made of it; `make check` fails where that is not current.
contract: .venv/ready
	$(BIN)/python -m gateway.contract docs/openapi.json docs/clients.md
	$(BIN)/python libs/client/generate.py docs/openapi.json libs/client/src/lumilio_client/api.py
	$(BIN)/python libs/common/generate_events.py docs/asyncapi.json docs/events.md
	$(BIN)/python deploy/local/generate_settings.py docs/configuration.md

# The stubs of the protocol of inference servers, beside it.
protos: .venv/ready
	cd protos && ../$(BIN)/python -m grpc_tools.protoc -I . --python_out . --pyi_out . --grpc_python_out . $(PROTO)

# From a release on, `make check` lets nothing break who built on it.
release: contract
	cp docs/openapi.json docs/openapi-released.json

# About a quarter of an hour; `make bench ARGS=films` measures what begins so.
bench: .venv/ready
	$(BIN)/python -m tests.bench $(ARGS)

# Up to an hour; `make chaos ARGS=power` runs what begins so. Root is needed to cut the power of disks.
chaos: .venv/ready
	$(BIN)/python -m tests.chaos $(ARGS)

# The lock names packages and hashes only: no index, mirror or host.
lock: .venv/ready
	$(BIN)/uv pip compile pyproject.toml --group dev $(PROJECTS) --extra up --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-header --no-annotate $(LOCK_ARGS) \
	    $(foreach member,common gateway ingest processor syncer ml-dispatcher ml-server home-native lumilio-client,--no-emit-package $(member)) -o requirements.lock -q > /dev/null

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
