# make            set up, regenerate the client, run the conformance suite against the simulator
# make test       every test but those that download something
# make test-downloads  the tests against a downloaded server; they need Node.js
# make lint       ruff and mypy
# make lint-spec  openapi.yaml through its three linters (two of them need Node.js)
# make generate   write generated/ anew from openapi.yaml
# make corrections  write docs/corrections.md anew from contract/corrections.yaml
# make requirements  write docs/requirements.md anew from the suite's catalogue
# make drift PUBLISHED=file       compare a freshly downloaded vendor document with contract/published/
# make conformance [BASE_URL=…] [REPORT=folder]  run the suite alone, against the simulator or a service
# make faults     run the suite against every fault of the simulator, and write docs/faults.md
# make lock       write requirements.lock anew from pyproject.toml

PYTHON ?= python3
BIN := .venv/bin
REDOCLY := npx --yes @redocly/cli@2.77.0
SPECTRAL := npx --yes @stoplight/spectral-cli@6.16.3

.DEFAULT_GOAL := all
.PHONY: all test test-downloads lint lint-spec generate corrections requirements drift conformance faults lock clean

all: generate conformance

.venv/installed: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with PYTHON=…")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

generate: .venv/installed
	$(BIN)/python -m contract.generation

corrections: .venv/installed
	$(BIN)/python -m contract.corrections

requirements: .venv/installed
	$(BIN)/python -m siliconflow_batch_conformance.requirements

drift: .venv/installed
	@test -n "$(PUBLISHED)" || { echo 'name the downloaded document: make drift PUBLISHED=file' >&2; exit 2; }
	@$(BIN)/python -m contract.drift "$(PUBLISHED)"

conformance: .venv/installed
	$(BIN)/siliconflow-batch conformance $(if $(BASE_URL),--base-url "$(BASE_URL)") $(if $(REPORT),--report "$(REPORT)")

faults: .venv/installed
	PYTHONPATH=tests $(BIN)/python -m support.fault_report

test: .venv/installed
	$(BIN)/python -m pytest -n auto

test-downloads: .venv/installed
	$(BIN)/python -m pytest -m downloads

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

lint-spec: .venv/installed
	$(BIN)/openapi-spec-validator openapi.yaml
	$(REDOCLY) lint --extends=recommended-strict openapi.yaml
	$(SPECTRAL) lint --fail-severity=hint --ruleset .spectral.yaml openapi.yaml

lock:
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --all-extras --group dev --universal --python-version 3.11 \
		--generate-hashes --no-annotate --no-header --quiet --upgrade -o requirements.lock

clean:
	rm -rf .venv .hypothesis .pytest_cache .mypy_cache .ruff_cache dist
