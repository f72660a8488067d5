# Satchel's targets; `make help` lists them. The contract behind the names: README.md.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.satchel-setup
SOURCES := pyproject.toml $(shell find native -name '*.c' -o -name '*.h' 2>/dev/null)
JOBS ?= $(shell nproc)
# Stores of fast tests lie in memory where there is enough of it: syncing to a disk is what they would wait for.
MEMORY := $(shell test "$$(df --output=avail -k /dev/shm 2>/dev/null | tail -1)" -gt 2000000 2>/dev/null && echo TMPDIR=/dev/shm)
FAST := $(MEMORY) $(BIN)/pytest -n $(JOBS) -m 'not slow' --hypothesis-profile quick --durations=5 --durations-min=1

.PHONY: help setup run lint test check check-image image image-test image-test-quick hw-test bench fuzz soak coverage-spec docs clean

help:
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

setup: $(STAMP) ## .venv with the native codecs built, Satchel and its test requirements installed

$(STAMP): $(SOURCES)
	@command -v cc >/dev/null || { echo "Needed first: apt install gcc make python3-venv python3-dev" >&2; exit 1; }
	@$(PYTHON) -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Needed first: Python 3.11 or later: apt install python3 python3-venv python3-dev" >&2; exit 1; }
	@$(PYTHON) -c 'import os, sysconfig, sys; sys.exit(not os.path.exists(os.path.join(sysconfig.get_paths()["include"], "Python.h")))' \
	  || { echo "Needed first: apt install python3-dev" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q --disable-pip-version-check -e '.[test]'
	touch $@

run: setup ## serve the demo office on 127.0.0.1, port offset 10000
	@test -d .demo || $(BIN)/appliance --data .demo demo
	@exec $(BIN)/appliance --data .demo serve --bind 127.0.0.1 --port-offset 10000 --endpoints

lint: setup ## format, lint, types, layers
	$(BIN)/ruff format --check -q appliance tests hw-tests
	$(BIN)/ruff check -q appliance tests hw-tests
	$(BIN)/mypy
	$(BIN)/lint-imports >/dev/null || $(BIN)/lint-imports

check: lint ## format, lint, types, layers, meta and fast tests
	$(FAST)

test: lint ## every check and test that needs no extra system package
	$(BIN)/pytest -n $(JOBS)

check-image: ## fast tests with exactly the versions of constraints.txt
	test -x $(VENV)-image/bin/python || $(PYTHON) -m venv $(VENV)-image
	$(VENV)-image/bin/pip install -q --disable-pip-version-check -c constraints.txt -e '.[test]'
	$(subst $(BIN),$(VENV)-image/bin,$(FAST))

image: setup ## the flashable image and the update bundle, in build/image
	@nice image/build

HW := $(BIN)/pytest -c hw-tests/pytest.ini --junitxml=build/hw-tests.xml
image-test: setup ## boots that image under QEMU and drives it over console and ports
	$(HW) hw-tests

image-test-quick: setup ## its quick part: the first start, the wizard, lights, mail
	$(HW) hw-tests -m quick

hw-test: setup ## the same on a board: BOARD=pi4 SERIAL=/dev/ttyUSB0 HOST=192.168.1.23
	$(HW) -s hw-tests --board "$(BOARD)" --serial "$(SERIAL)" --host "$(HOST)"

bench: setup ## benchmarks beside their peers, as ratios in one run, into docs/benchmarks.md
	$(BIN)/python -m tests.bench --record

fuzz: setup ## every fuzz target for SECONDS=20 each
	$(BIN)/python -m tests.fuzz --seconds $(or $(SECONDS_EACH),20)

soak: setup ## the long forms of kills, power cuts and fuzzing; MINUTES=N bounds them
	nice -n 19 $(BIN)/python -m tests.soak $(if $(MINUTES),--minutes $(MINUTES)) --record docs/soak.md

coverage-spec: setup ## which numbered requirements are proven
	$(BIN)/python -m tests.meta.coverage_spec

docs: setup ## reference pages, generated from the tables
	@mkdir -p docs
	$(BIN)/python -c 'from appliance.config import reference; print(reference())' > docs/settings.md
	$(BIN)/python -c 'from appliance.panel.light import reference; print(reference())' > docs/lights.md

clean: ## everything that was built
	rm -rf $(VENV) $(VENV)-image build dist *.egg-info bench-results
	find appliance -name '*.so' -delete
