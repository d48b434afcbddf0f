PYTHON ?= python3
BIN := .venv/bin
# Most tests wait for a simulator part of the time, so there are two workers for each core.
WORKERS ?= $(shell $(PYTHON) -c "import os; print(2 * (os.cpu_count() or 1))")
REDOCLY := npx --yes @redocly/cli@2.77.0
SPECTRAL := npx --yes @stoplight/spectral-cli@6.16.3

.DEFAULT_GOAL := all
.PHONY: all help generate conformance test soak coverage test-wheel test-downloads lint lint-spec \
	corrections requirements assumptions faults lies drift lock clean

all: generate conformance ## Set up, regenerate the client, run the conformance suite against the simulator

help: ## Print this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-15s %s\n", $$1, $$2}'

.venv/installed: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

generate: .venv/installed ## Write generated/ from openapi.yaml
	$(BIN)/python -m contract.generation

conformance: .venv/installed ## Run the suite alone: [BASE_URL=…] [REPORT=folder] [OPTIONS=…]
	$(BIN)/siliconflow-batch conformance $(if $(BASE_URL),--base-url "$(BASE_URL)") $(if $(REPORT),--report "$(REPORT)") $(OPTIONS)

test: .venv/installed ## Run the tests
	$(BIN)/python -m pytest -n $(WORKERS)

test-wheel: .venv/installed ## Build the wheel and test it in an empty environment, typing tests included
	$(BIN)/python -m pytest tests/packaging

soak: .venv/installed faults ## Run in full what `make test` runs as a sample: long tests, all faults
	$(BIN)/python -m pytest -n auto -m soak --soak

coverage: .venv/installed ## Measure branch coverage of the hand-written packages, child processes included
	rm -f .coverage .coverage.*
	$(BIN)/coverage run -m pytest -n auto -q
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

test-downloads: .venv/installed ## Run the tests that download another server (needs Node.js)
	$(BIN)/python -m pytest -m downloads

lint: .venv/installed ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

lint-spec: .venv/installed ## Lint openapi.yaml with three linters (needs Node.js)
	$(BIN)/openapi-spec-validator openapi.yaml
	$(REDOCLY) lint --extends=recommended-strict openapi.yaml
	$(SPECTRAL) lint --fail-severity=hint --ruleset .spectral.yaml openapi.yaml

corrections: .venv/installed ## Write docs/corrections.md from contract/corrections.yaml
	$(BIN)/python -m contract.corrections

requirements: .venv/installed ## Write docs/requirements.md from the suite's catalogue
	$(BIN)/python -m siliconflow_batch_conformance.requirements

assumptions: .venv/installed ## Write docs/assumptions.md from contract/assumptions.yaml
	$(BIN)/python -m siliconflow_batch_conformance.facts.assumptions_page

faults: .venv/installed ## Run the suite against every fault of the simulator; write docs/faults.md (half an hour)
	PYTHONPATH=tests $(BIN)/python -m support.fault_report

lies: .venv/installed ## Run the suite against lies that are generated from openapi.yaml; write docs/lies.md (ten minutes)
	PYTHONPATH=tests $(BIN)/python -m support.generated_lies

drift: .venv/installed ## Compare a downloaded vendor document with contract/published/: PUBLISHED=file
	@test -n "$(PUBLISHED)" || { echo 'Name the downloaded document: make drift PUBLISHED=file' >&2; exit 2; }
	@$(BIN)/python -m contract.drift "$(PUBLISHED)"

lock: ## Write requirements.lock from pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --all-extras --group dev --universal --python-version 3.11 \
		--generate-hashes --no-annotate --no-header --quiet --upgrade -o requirements.lock

clean: ## Remove the environment and every cache
	rm -rf .venv .hypothesis .pytest_cache .mypy_cache .ruff_cache .coverage .coverage.* dist
