# Borderpost's targets. `make help` lists them.
#
# Set-up is part of each target: a virtual environment in .venv, Python packages from PyPI and, where
# a tool is missing, Debian packages (with sudo where you are not root). What is already there is not
# asked for again, so everything works without a network once it has run.

SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
RUN_EXTRAS := device,central,passporteye,demo
TEST_EXTRAS := $(RUN_EXTRAS),dev

.PHONY: help demo test check bench torture specimens clean

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' Makefile

demo: $(VENV)/.ready-run ## the main job with nothing but this machine (ONCE=1: once through, then a summary)
	@$(BIN)/borderpost demo $(if $(ONCE),--once)

test: $(VENV)/.ready-test ## every test, with a real Mosquitto
	@$(BIN)/python -m pytest

check: $(VENV)/.ready-test ## ruff and mypy, strict
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: $(VENV)/.ready-test ## our reader beside its peers, on our own specimens (CORPUS=DIR; BENCH="--suite all")
	@$(BIN)/python benchmarks/reader.py --corpus $(or $(CORPUS),firmware/demo/specimens) $(BENCH)

torture: $(VENV)/.ready-test ## a million random inputs to the parser
	@$(BIN)/python tests/reading/parse_torture.py --count 1000000

specimens: $(VENV)/.ready-test ## draw the specimen pages anew (needs Debian's fonts-ocr-b)
	@$(call debian,fonts-ocr-b fonts-dejavu-core)
	@$(BIN)/python tests/data/render_specimens.py

clean: ## remove the virtual environment and caches
	rm -rf $(VENV) *.egg-info build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

# Installs the Debian packages named, if any of them is missing, and says so first.
define debian
	missing=""; for p in $(1); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then \
	  echo "set-up: installing Debian packages:$$missing"; \
	  command -v apt-get >/dev/null || { echo "set-up: apt-get is not here; install these by hand:$$missing" >&2; exit 1; }; \
	  $(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null \
	    || { echo "set-up: apt-get could not install$$missing; is the network up?" >&2; exit 1; }; \
	fi
endef

# Installs the project with extras $(1) into .venv.
define python
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	  || { echo "set-up: $(PYTHON) is not Python 3.11 to 3.13; name one, as in: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }; \
	if ! $(BIN)/python -c 'import pip' 2>/dev/null; then \
	  $(PYTHON) -c 'import ensurepip' 2>/dev/null || { $(call debian,python3-venv); }; \
	  echo "set-up: making the virtual environment $(VENV)"; rm -rf $(VENV); $(PYTHON) -m venv $(VENV); \
	fi; \
	echo "set-up: installing Python packages into $(VENV): borderpost[$(1)]"; \
	$(BIN)/python -m pip install --disable-pip-version-check --progress-bar off --editable '.[$(1)]' >$(VENV)/set-up.log 2>&1 \
	  || { tail -n 5 $(VENV)/set-up.log >&2; echo "set-up: pip could not install the packages (all of it: $(VENV)/set-up.log); is the network up?" >&2; exit 1; }
endef

$(VENV)/.ready-run: pyproject.toml
	@$(call debian,tesseract-ocr)
	@$(call python,$(RUN_EXTRAS))
	@touch $@

$(VENV)/.ready-test: pyproject.toml
	@$(call debian,tesseract-ocr mosquitto)
	@$(call python,$(TEST_EXTRAS))
	@touch $@ $(VENV)/.ready-run
