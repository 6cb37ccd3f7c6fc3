# Needs Python 3.11+ with venv and make, nothing else. `make help` lists the commands.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
LOCK   := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade

.DEFAULT_GOAL := help
.PHONY: help demo serve test test-deep peers lint format bench chaos pages lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

$(VENV)/.run: requirements/run.txt pyproject.toml
	@test -x $(BIN)/python || { echo "making the environment in $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@echo "installing the locked requirements (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.txt
	@echo "installing the locked test requirements (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

demo: $(VENV)/.run ## the main job, end to end, on real processes; exits 0 only if every effect was verified
	@$(BIN)/gateway demo

serve: $(VENV)/.run ## the demo's processes, left running to look at
	@$(BIN)/gateway demo --keep

lint: $(VENV)/.dev ## style, formatting, types, import contract
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint ## lint and all tests
	$(BIN)/python -m pytest -n 2 --dist loadgroup

test-deep: $(VENV)/.dev ## the laws of all maps on 2,000 drawn documents each; takes a quarter of an hour
	GATEWAY_DOCUMENTS_PER_MAP=2000 $(BIN)/python -m pytest -n 2 tests/mapping/test_generated.py tests/mapping/test_xml_maps.py tests/mapping/test_csv_maps.py

peers: $(VENV)/.dev ## the optional tests against peers, each in an environment of its own; writes docs/interoperability.md
	$(BIN)/python tests/make_peers.py .peers
	GATEWAY_PEERS=$(CURDIR)/.peers GATEWAY_INTEROPERABILITY=docs/interoperability.md $(BIN)/python -m pytest -m peers

format: $(VENV)/.dev ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev ## measured figures, printed as ratios
	$(BIN)/python -m bench

chaos: $(VENV)/.dev ## faults under load and power loss, zero lost: about a quarter of an hour; writes docs/reliability.md
	$(BIN)/python -m bench.chaos --into docs/reliability.md

pages: $(VENV)/.run ## write the generated pages of docs/ anew
	$(BIN)/python -m gateway.cli.pages docs
	$(BIN)/gateway config describe --into docs/configuration.md
	$(BIN)/python tests/security_table.py docs/security.md

lock: ## renew the locked requirements (needs uv)
	uv pip compile $(LOCK) --group build pyproject.toml -o requirements/run.txt
	uv pip compile $(LOCK) --group dev -c requirements/run.txt pyproject.toml -o requirements/dev.txt

clean: ## remove the environment and everything made by running
	rm -rf $(VENV) run .mypy_cache .ruff_cache .pytest_cache .hypothesis
