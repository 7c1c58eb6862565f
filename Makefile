# The course's commands. Needs Python 3.11 or newer and make; everything else goes into .venv.
#
#   make lab                        install once, then open the first notebook in JupyterLab
#   make lab ARGS=--no-browser      the same, with arguments for JupyterLab
#   make test                       install what the tests need, then run them and every notebook
#   make browser                    use the notebooks in JupyterLab with Chromium or Chrome, as a learner would
#   make data                       fetch the real chest X-rays from Kaggle (1.2 to 2.5 GB), verified; goes on where it stopped
#   make data-verify                compare them with their data card and their SHA-256 once more
#   make room DIR=<folder>          for workshops: fill a read-only folder that many learners use at once, offline
#   make audit DATA=<folder>        look for duplicates, leaks and shortcuts in a folder of images; results go to build/audit/
#   make real DATA=<folder>         run every notebook on real X-rays; results go to build/real/
#   make solutions                  for authors: solve every exercise in copies of the notebooks and run them, to build/solutions/
#   make notebooks                  for authors: run the notebooks in place, clean them, check their form
#   make check-notebooks            for authors: check their form alone
#   make phantoms                   for authors: make datasets/phantoms-quick.zip, the simulated X-rays of the course
#   make realism DATA=<folder>      for authors: measure the simulator against real X-rays; results go to build/realism/
#   make sheet                      for authors: contact sheets of phantoms, to build/realism/, and the README's picture
#   make weights                    for authors: train the ResNet-18 that comes with the course, on phantoms, anew (20 minutes)
#   make train-real DATA=<folder>   the frozen recipe on real X-rays, tested once (10 minutes); results go to build/headline/
#   make choose-recipe DATA=<folder>  for authors: how that recipe was chosen, in cross-validation on its training images (about an hour)
#   make studies [DATA=<folder>]    for authors: what is too long for a lesson, on phantoms or real X-rays; numbers go to datasets/studies/
#   make benchmark [DATA=<folder>]  for authors: what the training engine saves, in one run; results go to build/benchmark/
#   make benchmark-data             for authors: time and memory for an archive of 2.4 GB, made on the spot
#   make lint                       for authors: style, types, and who imports whom
#   make clean                      remove .venv and build/; your progress and the data stay
#
# Variables for the installation:
#   PYTHON=python3.12               the Python to build .venv with
#   TORCH_INDEX=<url>               take torch from this index first; see the README for the small CPU-only build
#   CONSTRAINTS=                    take the newest releases instead of the tested ones in constraints.txt
#
# Variables for the data:
#   DATA=<folder>                   images in the layout {train,test}/{NORMAL,PNEUMONIA}/
#   SPLIT=test                      for make realism: the real images to try the phantom-trained network on
#   FULL_SIZE=<folder>              for make benchmark: X-rays as Kaggle serves them, if those in DATA are smaller copies
#   ARGS="--networks 4"             for make train-real: so many networks, that judge together
#   ARGS="--only finetuning"        for make studies: this one alone
#   CARD=<slug>                     another data set that Kaggle has; its card is datasets/<slug>.toml (for a room also several: CARD="a b")

PYTHON ?= python3
TORCH_INDEX ?=
CONSTRAINTS ?= constraints.txt
ARGS ?=
DATA ?=
FULL_SIZE ?=
SPLIT ?= train
DIR ?=
CARD ?= chest-xray-pneumonia

ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif
PIP_INSTALL := $(BIN)/python -m pip install --quiet $(if $(CONSTRAINTS),--constraint $(CONSTRAINTS))

.PHONY: lab test browser data data-verify room phantoms weights realism sheet choose-recipe train-real studies benchmark benchmark-data audit real solutions \
	notebooks check-notebooks lint clean
.DELETE_ON_ERROR:

lab: .venv/installed-lab
	$(BIN)/jupyter lab --config=jupyter_lab_config.py $(ARGS)

test: export OMP_NUM_THREADS = 1
test: .venv/installed-test
	$(BIN)/python -m pytest --numprocesses logical --maxprocesses 3 --dist loadfile --no-loadscope-reorder --ignore tests/browser $(ARGS)

browser: export OMP_NUM_THREADS = 1
browser: .venv/installed-test
	$(BIN)/python -m pytest tests/browser --numprocesses 2 --dist loadgroup $(ARGS)

data: .venv/installed-lab
	$(BIN)/python -m course_lib.sources data $(CARD)

data-verify: .venv/installed-lab
	$(BIN)/python -m course_lib.sources verify $(CARD)

room: .venv/installed-lab
	$(BIN)/python -m course_lib.modalities.room "$(DIR)" $(CARD)

phantoms: .venv/installed-lab
	$(BIN)/python -m course_lib.phantom quick

weights: .venv/installed-lab
	$(BIN)/python -m course_lib.pretraining $(ARGS)

realism: .venv/installed-test
	$(BIN)/python -m course_lib.realism measure "$(DATA)" --split "$(SPLIT)"

sheet: .venv/installed-test
	$(BIN)/python -m course_lib.realism sheet $(if $(DATA),"$(DATA)")

choose-recipe: .venv/installed-test
	$(BIN)/python -m course_lib.headline choose "$(DATA)"

train-real: .venv/installed-test
	$(BIN)/python -m course_lib.headline train "$(DATA)" $(ARGS)

studies: .venv/installed-lab
	$(BIN)/python -m course_lib.studies $(if $(DATA),--data "$(DATA)") $(ARGS)

benchmark: .venv/installed-test
	$(BIN)/python -m tests.benchmarks $(if $(DATA),--data "$(DATA)") $(if $(FULL_SIZE),--full-size "$(FULL_SIZE)")

benchmark-data: .venv/installed-test
	$(BIN)/python -m tests.benchmarks.full_size_archive

audit: .venv/installed-lab
	$(BIN)/python -m course_lib.audit "$(DATA)"

real: .venv/installed-test
	$(BIN)/python -m course_lib.notebooks real "$(DATA)"

notebooks: .venv/installed-test
	$(BIN)/python -m course_lib.notebooks execute

solutions: .venv/installed-test
	$(BIN)/python -m course_lib.notebooks solutions

check-notebooks: .venv/installed-test
	$(BIN)/python -m course_lib.notebooks check

lint: .venv/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

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
