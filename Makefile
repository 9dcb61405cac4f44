# Everything a developer or a first visitor types. `make` alone lists it.
# Plain make (GNU make 3.81 as on macOS is enough), plain sh, Python 3.11 to 3.13.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.complete
PYTEST_ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help venv demo test chaos check format clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

venv: $(STAMP) ## Make .venv with everything pinned, and .venv/bin/pgx

# PYTHON=/path/to/python3.12 chooses the interpreter; otherwise the first one in the supported range.
# Group and others may be kept out by the umask, the owner may not: pip could not read back what it wrote.
$(STAMP): requirements.lock pyproject.toml
	@set -e; umask u=rwx; \
	supported='import sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'; \
	if ! "$(BIN)/python" -c "$$supported" 2>/dev/null; then \
	  for python in $(PYTHON) python3 python3.13 python3.12 python3.11 none; do \
	    if [ "$$python" = none ]; then \
	      echo 'make venv: no Python 3.11, 3.12 or 3.13 found. Install one, or name it: make venv PYTHON=/path/to/python3.12' >&2; exit 1; fi; \
	    if "$$python" -c "$$supported" >/dev/null 2>&1; then break; fi; \
	  done; \
	  "$$python" -c 'import ensurepip' 2>/dev/null || { \
	    echo "make venv: $$python comes without ensurepip. Install its venv package (Debian, Ubuntu: apt install python3-venv), or name another: make venv PYTHON=..." >&2; exit 1; }; \
	  echo "making $(VENV) with $$("$$python" --version 2>&1)"; \
	  rm -rf "$(VENV)"; "$$python" -m venv "$(VENV)"; \
	fi; \
	echo 'installing what requirements.lock pins'; \
	"$(BIN)/python" -m pip --disable-pip-version-check install --quiet --require-hashes --requirement requirements.lock; \
	"$(BIN)/python" -m pip --disable-pip-version-check install --quiet --no-deps --no-build-isolation --editable .; \
	touch "$(STAMP)"

demo: $(STAMP) ## Run the whole pipeline here on example patients: no Docker, no Java
	@exec "$(BIN)/pgx" demo

test: $(STAMP) ## Run every test that this machine can run; the last lines say what was left out
	@exec "$(BIN)/python" -m tests $(PYTEST_ARGS)

# KILLS, SEED and MINUTES bound and repeat it; CHAOS_ARGS goes to python -m tests.chaos.
chaos: $(STAMP) ## Kill services, broker and database at random; count what was lost or doubled
	@exec "$(BIN)/python" -m tests.chaos $(if $(KILLS),--kills $(KILLS)) $(if $(SEED),--seed $(SEED)) \
	  $(if $(MINUTES),--minutes $(MINUTES)) $(CHAOS_ARGS)

check: $(STAMP) ## Lint, format and types
	"$(BIN)/ruff" check .
	"$(BIN)/ruff" format --check .
	"$(BIN)/mypy"

format: $(STAMP) ## Put the code into the one format
	"$(BIN)/ruff" check --fix .
	"$(BIN)/ruff" format .

clean: ## Remove the virtual environment and everything generated
	rm -rf "$(VENV)" build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
