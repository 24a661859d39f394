# One-line targets. `make demo` and `make test` do all their own set-up on a fresh Debian machine.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
export PATH := $(CURDIR)/$(BIN):$(PATH)

CORPUS ?= ../shared/corpus

.PHONY: help setup engine browser scanner lab demo test unit integration acceptance compose-v1 faults corpus check format lock clean

help:  ## what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/ -/'

setup: $(STAMP)  ## a virtual environment with verifier in it: .venv/bin/verifier
$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --require-hashes --no-deps -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

engine:  ## a Docker Engine that answers (installed and started on Debian as root)
	lab/engine ensure

browser:  ## Chromium and Lighthouse, which measure pages (installed on Debian as root)
	lab/browser ensure

scanner:  ## Wapiti, which scans web applications, in a virtual environment of its own
	lab/scanner ensure

lab: setup engine browser scanner  ## three throw-away hosts, and the databases and images they need
	$(BIN)/verifier lab up

demo: lab  ## the whole promise on hosts of its own
	$(BIN)/python lab/demo.py

test: unit integration acceptance  ## everything but the long campaigns: faults, compose-v1
unit: setup  ## no host, no network, seconds
	$(BIN)/pytest -q tests/unit tests/test_architecture.py
integration: lab  ## real hosts: the lab itself, connections, Ansible's events
	$(BIN)/pytest -q tests/integration/lab
	$(BIN)/pytest -q tests/integration/deploy tests/integration/verify
acceptance: lab  ## every new kind of check against real faults, whole commands
	$(BIN)/pytest -q tests/integration/checks tests/acceptance
compose-v1: lab  ## a host with Engine 20.10 and docker-compose 1.29
	$(BIN)/pytest -q tests/integration/compose_v1
faults: lab  ## the long campaign: every fault, every item of its host looked at each time
	$(BIN)/python tests/faults/campaign.py

corpus: setup  ## how well init understands labelled checklists (CORPUS=folder with gold*.jsonl)
	$(BIN)/python tests/corpus/score.py $(CORPUS)

check: setup  ## format, lint, types
	$(BIN)/ruff format --check verifier tests lab/demo.py docs
	$(BIN)/ruff check verifier tests lab/demo.py docs
	$(BIN)/mypy
	$(BIN)/yamllint --strict .
	$(BIN)/ansible-lint --offline --profile production playbooks roles

format: setup  ## apply the formatter
	$(BIN)/ruff format verifier tests lab/demo.py docs

lock:  ## pin every dependency with its hashes, naming no package index
	uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-header --no-annotate pyproject.toml --group dev -o requirements.lock

clean:  ## the lab and what was built here
	-$(BIN)/verifier lab down
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .verifier
