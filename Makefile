# make demo: paint the sample clip.   make test: everything that is quick.   make help: the rest.

VENV := .venv
RUN := $(VENV)/bin
READY := $(VENV)/.ready
# The first Python that is new enough; PYTHON=/path/to/python makes the choice yours.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3.14 python3; do \
	command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
# Tests start Python a hundred times: without bytecode, each start would compile all anew.
unexport PYTHONDONTWRITEBYTECODE
DEMO := demo
# Tests of what depends on a processor's instructions.
COMPUTING := tests/engine tests/nets tests/training

.PHONY: help demo test long-test avx2-test avx2 lint types coverage gpu-test slow-test audit package-check \
	requirements-check try-out bench fuzz clean
.DEFAULT_GOAL := help

help:
	@echo "make demo       set up and paint samples/flower.mp4 into $(DEMO)/"
	@echo "make test       set up and run the quick tests (no network, GPU, camera or screen needed)"
	@echo "make long-test  tests that take longer, and need nothing else either"
	@echo "make avx2       the quick tests and the benchmark as on a processor with AVX2 (avx2-test: tests of computing)"
	@echo "make lint       ruff, format and lint"
	@echo "make types      mypy, strict, for Linux, Windows and macOS"
	@echo "make coverage   quick tests with line coverage"
	@echo "make slow-test  tests with a real window, a real browser and a Ray cluster (need Xvfb and xdotool, and Chromium)"
	@echo "make gpu-test   tests on an NVIDIA GPU; they fail, not skip, where there is none"
	@echo "make package-check  build wheel and source package, and try both in empty environments (needs internet)"
	@echo "make requirements-check  whether every system and Python that is promised can have all (needs internet)"
	@echo "make try-out    the program as its users have it, with names in other alphabets"
	@echo "make audit      look up known weaknesses of all that is installed (needs internet)"
	@echo "make fuzz       try the commands with damaged and absurd inputs: SEED=1 BUDGET=600 (seconds)"
	@echo "make bench      time the network beside the usual one"
	@echo "make clean      remove the virtual environment and the demo"

$(READY): pyproject.toml
	@test -n "$(PYTHON)" || { echo "missing: Python 3.11 or newer (Debian/Ubuntu: apt-get install python3 python3-venv)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "missing: Python's venv (Debian/Ubuntu: apt-get install python3-venv)" >&2; exit 1; }
	@echo "setting up $(VENV) (once; torch alone is several gigabytes)"
	@$(PYTHON) -m venv $(VENV)
	@$(RUN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(RUN)/uv pip install --quiet --compile-bytecode --python $(RUN)/python --editable '.[dev]'
	@$(RUN)/python -c 'import cv2' 2>$(VENV)/cv2.log || { tail -n 1 $(VENV)/cv2.log >&2; \
		echo "missing: system libraries of OpenCV (Debian/Ubuntu: apt-get install libgl1 libglib2.0-0)" >&2; exit 1; }
	@touch $@

demo: $(READY)
	@mkdir -p $(DEMO)
	@$(RUN)/stylize-live convert samples/flower.mp4 $(DEMO)/flower-starry-night.mp4 --style starry-night \
		--overwrite --before-after $(DEMO)/before-after.jpg

# Up to four processes; how many, tests/conftest.py says.
test: $(READY)
	@$(RUN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal

long-test: $(READY)
	@$(RUN)/python -m pytest -m long

avx2: $(READY)
	@$(RUN)/python benchmarks/held_back.py

avx2-test: $(READY)
	@$(RUN)/python benchmarks/held_back.py -- $(RUN)/python -m pytest $(COMPUTING)

lint: $(READY)
	@$(RUN)/ruff check . && $(RUN)/ruff format --check .

types: $(READY)
	@for system in linux win32 darwin; do $(RUN)/mypy --platform $$system --cache-dir .mypy_cache/$$system || exit 1; done

coverage: $(READY)
	@$(RUN)/python -m pytest --cov --cov-report=term-missing:skip-covered

slow-test: $(READY)
	@$(RUN)/python -m pytest -m slow

gpu-test: $(READY)
	@FAIL_WITHOUT_CUDA=1 $(RUN)/python -m pytest -m gpu

package-check: $(READY)
	@$(RUN)/python .ci/package_check.py

requirements-check: $(READY)
	@$(RUN)/python .ci/requirements_check.py

try-out: $(READY)
	@$(RUN)/python .ci/try_out.py

# Strict: what the database does not know is no clean bill.
audit: $(READY)
	@$(RUN)/uv pip freeze --quiet --python $(RUN)/python --exclude-editable >$(VENV)/installed.txt
	@$(RUN)/uv tool run pip-audit --strict --no-deps --disable-pip -r $(VENV)/installed.txt

SEED ?= 1
BUDGET ?= 600
fuzz: $(READY)
	@$(RUN)/python tests/fuzz --seed $(SEED) --budget $(BUDGET)

bench: $(READY)
	@$(RUN)/python benchmarks/network.py

clean:
	rm -rf $(VENV) $(DEMO)
