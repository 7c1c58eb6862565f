# The course's commands. Needs Python 3.11 or newer and make; everything else goes into .venv.

define HELP
For everyone
  make lab                  install once, then open the first notebook in JupyterLab
  make data                 fetch the real chest X-rays from Kaggle (1.2 to 2.5 GB), verified; goes on where it stopped
  make data-verify          compare them with their data card and with their SHA-256 once more
  make audit DATA=<folder>  look for duplicates, leaks and shortcuts in a folder of images; results in build/audit/

For instructors
  make room DIR=<folder>    fill a read-only folder that many learners use at once, offline
  make real DATA=<folder>   run the notebooks on real images, one set or a room; results in build/real/

For those who change the course
  make quick                the quick tests, in about three minutes on two cores
  make test                 all tests and every notebook, but not in a browser
  make browser              the notebooks and their widgets in JupyterLab, in Chromium or Chrome
  make lint                 style and types of the code, form of the notebooks, and who imports whom
  make clean                remove .venv and build/; your progress and the data stay
  python -m course_lib.authoring   what makes, checks and measures the course, with the Python in .venv

Variables
  ARGS=--no-browser         arguments for JupyterLab or pytest: make lab ARGS=--no-browser, make test ARGS=-x
  CARD=<slug>               for data, data-verify and room: another set that Kaggle has; its card is datasets/<slug>.toml
                            (a room takes several: CARD="a b")
  PYTHON=python3.12         the Python to build .venv with
  TORCH_INDEX=<url>         take torch from this index first; see the README for the small CPU-only build
  CONSTRAINTS=              take the newest releases instead of the tested ones in constraints.txt
endef

.DEFAULT_GOAL := help

PYTHON ?= python3
TORCH_INDEX ?=
CONSTRAINTS ?= constraints.txt
ARGS ?=
DATA ?=
DIR ?=
CARD ?= chest-xray-pneumonia

# A name may hold anything: neither make nor the shell looks into it. Recipes say "$$DATA", which is the shell's own.
override DATA := $(value DATA)
override DIR := $(value DIR)
override CARD := $(value CARD)
export DATA DIR CARD

ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif
PIP_INSTALL := $(BIN)/python -m pip install --quiet $(if $(CONSTRAINTS),--constraint $(CONSTRAINTS))

PYTEST := $(BIN)/python -m pytest
IN_PROCESSES := --numprocesses logical --maxprocesses 3 --dist loadfile --no-loadscope-reorder

.PHONY: help lab test quick browser lint data data-verify room audit real clean
.DELETE_ON_ERROR:

help:
	@: $(info $(HELP))

lab: .venv/installed-lab
	$(BIN)/jupyter lab --config=jupyter_lab_config.py $(ARGS)

quick test browser: export OMP_NUM_THREADS = 1

quick: .venv/installed-test
	$(PYTEST) tests --ignore=tests/browser -m "not slow" $(IN_PROCESSES) $(ARGS)

test: .venv/installed-test
	$(PYTEST) --ignore=tests/browser $(IN_PROCESSES) $(ARGS)

browser: .venv/installed-test
	$(PYTEST) tests/browser --numprocesses 2 --dist loadgroup $(ARGS)

lint: .venv/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m course_lib.authoring check-notebooks

data: .venv/installed-lab
	$(BIN)/python -m course_lib.sources data -- "$$CARD"

data-verify: .venv/installed-lab
	$(BIN)/python -m course_lib.sources verify -- "$$CARD"

room: .venv/installed-lab
	set -f; $(BIN)/python -m course_lib.modalities.room -- "$$DIR" $$CARD

audit: .venv/installed-lab
	$(BIN)/python -m course_lib.audit -- "$$DATA"

real: .venv/installed-test
	@test -n "$$DATA" || { echo "Say which images: make real DATA=<folder of one data set, or a room with several>"; exit 2; }
	$(BIN)/python -m course_lib.authoring real -- "$$DATA"

clean:
	rm -rf .venv build

.venv/python-is-new-enough:
	@$(PYTHON) -c "import sys; v = sys.version_info; v >= (3, 11) or sys.exit(f'The course needs Python 3.11 or newer, but $(PYTHON) is {v[0]}.{v[1]}. Install a newer one, then say for example: make lab PYTHON=python3.12')"
	@$(PYTHON) -m venv .venv || { echo "$(PYTHON) can not make virtual environments. On Debian and Ubuntu: sudo apt install python3-venv"; rm -rf .venv; exit 1; }
	@touch $@

.venv/torch: .venv/python-is-new-enough pyproject.toml $(CONSTRAINTS)
	@echo "Installing into .venv; the first time this takes some minutes, most of them for torch."
	$(if $(TORCH_INDEX),$(PIP_INSTALL) --index-url $(TORCH_INDEX) torch torchvision)
	@touch $@

.venv/installed-lab: .venv/torch
	$(PIP_INSTALL) --editable .
	@touch $@

.venv/installed-test: .venv/torch
	$(PIP_INSTALL) --editable ".[test]"
	@touch $@ .venv/installed-lab
