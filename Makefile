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
TRAINING := .venv-train
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
RUN_EXTRAS := device,central,demo
TEST_EXTRAS := $(RUN_EXTRAS),passporteye,dev
# As Debian 12 has them.
FONTS := fonts-dejavu-core fonts-dejavu-extra fonts-freefont-ttf fonts-liberation fonts-ocr-a fonts-ocr-b
# Python keeps what it has compiled, whatever the environment says: tests start hundreds of processes,
# and each would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test check bench bench-lists bench-updates bench-delivery bench-recovery bench-wear bench-box train torture powercut words specimens deb deb-try boot arm64 clean

help: ## this list
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' Makefile

demo: $(VENV)/.ready-run ## the main job with nothing but this machine (ONCE=1: once through, then a summary)
	@$(BIN)/borderpost demo $(if $(ONCE),--once)

test: $(VENV)/.ready-test ## every test, with a real Mosquitto, PostgreSQL and Chromium, on every core
	@$(BIN)/python -m pytest -n $$(( ($$(nproc) * 3 + 1) / 2 )) --maxprocesses 12 --dist worksteal $(ARGS)

check: $(VENV)/.ready-test ## ruff and mypy, strict
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: $(VENV)/.ready-test ## our reader beside its peers, on our own specimens (CORPUS=DIR; BENCH="--suite all")
	@$(BIN)/python benchmarks/reader.py --corpus $(or $(CORPUS),firmware/demo/specimens) $(BENCH)

bench-lists: $(VENV)/.ready-test ## the list engine beside SQLite, LMDB and RocksDB; goes on where it was stopped (RECORDS=10000000; BENCH="--peers none")
	@$(BIN)/python benchmarks/lists.py --records $(or $(RECORDS),150000000) $(BENCH)

bench-updates: $(VENV)/.ready-test ## what a day's update costs a device, beside SQLite and LMDB; catching up, a failing link, 1,000 devices; goes on where it was stopped (RECORDS=10000000; BENCH="--peers none")
	@$(BIN)/python benchmarks/updates.py --records $(or $(RECORDS),150000000) $(BENCH)

bench-delivery: $(VENV)/.ready-test ## delivery beside its peers: outbox, hit to console and back, receivers, 10,000 devices by TLS (BENCH="--only outbox")
	@$(BIN)/python benchmarks/delivery.py $(BENCH)

bench-desk: $(VENV)/.ready-test ## from a document's picture to its verdict on the officer's page, beside the reader's own time (BENCH="--rounds 30")
	@$(BIN)/python benchmarks/desk_screen.py $(BENCH)

bench-recovery: $(VENV)/.ready-test ## lose central, its database, the broker, the lists, a desk, in turn, and measure the way back (BENCH="--only broker-gone")
	@$(BIN)/python benchmarks/recovery.py $(BENCH)

bench-wear: $(VENV)/.ready-test ## what the desk writes to its card in an hour and for each scan; as root, for a file system of its own (BENCH="--minutes 60")
	@$(SUDO) $(BIN)/python benchmarks/wear.py $(BENCH)

bench-box: $(VENV)/.ready-test ## the service's start part by part beside its imports, its share of a core while it waits, its memory with a list of 10 million (BENCH="--rounds 3")
	@$(BIN)/python benchmarks/box.py $(BENCH)

train: $(TRAINING)/.ready ## make the reader's networks anew; goes on where it was stopped (ARGS="locator --seed 2")
	@$(TRAINING)/bin/python -m models.training $(ARGS)

torture: $(VENV)/.ready-test ## a million random inputs to the parser; 500 kills each of a list's updates, its builds and its updates over the air, 1,000 of delivery's ends (goes on where it was stopped); 60 of a NATS cluster's nodes; 20,000 documents at one desk
	@$(BIN)/python tests/reading/parse_torture.py --count 1000000
	@$(BIN)/python tests/lists/update_torture.py --kills 500
	@$(BIN)/python tests/lists/build_torture.py --kills 500
	@$(BIN)/python tests/updates/kill_torture.py --kills 500
	@$(BIN)/python tests/delivery/chaos.py --kills 1000
	@$(BIN)/python tests/delivery/nats_torture.py --rounds 10
	@$(BIN)/python tests/desk/soak.py --documents 20000

powercut: $(VENV)/.ready-test ## cut a device's power 340 times in each of three kinds of work, and find out disks that never sync; goes on where it was stopped (CUTS=20; ARGS="--shard 2")
	@$(call debian,user-mode-linux e2fsprogs gcc libc6-dev)
	@nice $(BIN)/python tests/powercut/torture.py --control
	@nice $(BIN)/python tests/powercut/torture.py --cuts $(or $(CUTS),340) $(ARGS)

words: $(VENV)/.ready-test ## bring the desk's translations up to date with its sentences, and say what is missing
	@$(BIN)/python -m firmware.kiosk.catalogues

specimens: $(VENV)/.ready-test ## draw the specimen pages anew (needs Debian's fonts-ocr-b)
	@$(call debian,fonts-ocr-b fonts-dejavu-core)
	@$(BIN)/python tests/data/render_specimens.py

deb: $(VENV)/.ready-run ## a Debian package for each release and architecture, wheels inside (RELEASE=bookworm|trixie ARCH=amd64|arm64; DEB="--lock" takes newer wheels)
	@$(call debian,dpkg)
	@$(BIN)/python packaging/build_deb.py $(if $(RELEASE),--release $(RELEASE)) $(if $(ARCH),--arch $(ARCH)) $(DEB)

deb-try: $(VENV)/.ready-run ## the package installed, used, upgraded, rolled back and removed in a Debian of its own, without a network; as root (RELEASE=trixie)
	@$(call debian,dpkg debootstrap)
	@$(BIN)/python packaging/build_deb.py --release $(or $(RELEASE),bookworm) --arch $$(dpkg --print-architecture)
	@$(SUDO) $(BIN)/python packaging/try_deb.py $(or $(RELEASE),bookworm)

boot: $(VENV)/.ready-run ## a device with the package booted four times by a real systemd: set up by a file, read-only, overlay, upgraded and purged; as root (RELEASE=trixie)
	@$(call debian,dpkg debootstrap systemd user-mode-linux e2fsprogs gcc libc6-dev)
	@$(BIN)/python packaging/build_deb.py --release $(or $(RELEASE),bookworm) --arch $$(dpkg --print-architecture)
	@$(SUDO) nice $(BIN)/python packaging/try_boot.py $(or $(RELEASE),bookworm)

arm64: $(VENV)/.ready-test ## the package for a Pi's processor installed and used in an emulated Debian for it, held against this machine's; as root; goes on where it was stopped (RELEASE=trixie; ARGS="--again scan")
	@$(call debian,dpkg debootstrap qemu-user-static qemu-user mosquitto gcc libc6-dev)
	@$(BIN)/python packaging/build_deb.py --release $(or $(RELEASE),bookworm) --arch arm64
	@$(BIN)/python packaging/build_deb.py --release $(or $(RELEASE),bookworm) --arch amd64
	@$(SUDO) nice $(BIN)/python packaging/arm64/try_arm64.py --release $(or $(RELEASE),bookworm) $(ARGS)

clean: ## remove virtual environments and caches; what training has learnt so far (build/training) stays
	rm -rf $(VENV) $(TRAINING) .venv-tflite *.egg-info dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	if [ -d build ]; then find build -mindepth 1 -maxdepth 1 ! -name training -exec rm -rf {} +; fi

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

# Makes the virtual environment $(1), unless it is there.
define venv
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	  || { echo "set-up: $(PYTHON) is not Python 3.11 to 3.13; name one, as in: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }; \
	if ! $(1)/bin/python -c 'import pip' 2>/dev/null; then \
	  $(PYTHON) -c 'import ensurepip' 2>/dev/null || { $(call debian,python3-venv); }; \
	  echo "set-up: making the virtual environment $(1)"; rm -rf $(1); $(PYTHON) -m venv $(1); \
	fi
endef

# Installs what $(2) says, as pip takes it, into the virtual environment $(1).
define pip
	$(1)/bin/python -m pip install --disable-pip-version-check --progress-bar off $(2) >$(1)/set-up.log 2>&1 \
	  || { tail -n 5 $(1)/set-up.log >&2; echo "set-up: pip could not install the packages (all of it: $(1)/set-up.log); is the network up?" >&2; exit 1; }
endef

# Installs the project with extras $(1) into .venv.
define python
	$(call venv,$(VENV)); \
	echo "set-up: installing Python packages into $(VENV): borderpost[$(1)]"; \
	$(call pip,$(VENV),--editable '.[$(1)]')
endef

$(VENV)/.ready-run: pyproject.toml
	@$(call python,$(RUN_EXTRAS))
	@touch $@

$(VENV)/.ready-test: pyproject.toml
	@$(call debian,tesseract-ocr mosquitto postgresql chromium systemd $(FONTS))
	@$(call python,$(TEST_EXTRAS))
	@touch $@ $(VENV)/.ready-run

# Without an NVIDIA accelerator, PyTorch's build for the CPU alone: a tenth of the other's size.
$(TRAINING)/.ready: models/training/requirements.txt
	@$(call debian,$(FONTS))
	@$(call venv,$(TRAINING)); \
	echo "set-up: installing Python packages into $(TRAINING): those of models/training/requirements.txt"; \
	command -v nvidia-smi >/dev/null \
	  || $(TRAINING)/bin/python -m pip install --disable-pip-version-check --progress-bar off --retries 1 \
	       --index-url https://download.pytorch.org/whl/cpu torch >$(TRAINING)/torch.log 2>&1 \
	  || echo "set-up: PyTorch's own index cannot be reached; taking the larger build from PyPI"; \
	$(call pip,$(TRAINING),-r models/training/requirements.txt)
	@touch $@
