# Two commands: `make demo` and `make test`. Everything they need comes from the lock files; nothing is installed outside this folder.
SHELL := /bin/sh
STAMPS := .stamps
UV := $(shell command -v uv 2>/dev/null || echo $(CURDIR)/.stamps/uv/bin/uv)
RUN := $(UV) run --frozen --no-sync
NODE_PATH_ENV := PATH="$(CURDIR)/.venv/bin:$$PATH"
WEB_SOURCES := $(shell find web/src web/public web/index.html web/*.ts web/*.json -type f 2>/dev/null)
PORT ?= 8080
PYTEST_ARGS ?=
# A test process takes whole files, in the order of tests/conftest.py, so that what a file sets up is set up once.
PYTEST := $(RUN) pytest --dist loadfile --no-loadscope-reorder
SPARK := $(if $(shell command -v java),$(STAMPS)/spark)
# What several checks print at once is told check by check, where make knows how to.
TOGETHER := -j2 -k $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)
# Compiled modules are kept even where the environment forbids it: every start would compile a thousand of them anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test setup web checks lint types unit e2e web-test api clean

demo: setup web
	$(RUN) cityloop demo --port $(PORT)

test: setup $(SPARK)
	@$(MAKE) --no-print-directory $(TOGETHER) checks
	@$(MAKE) --no-print-directory unit
	@$(MAKE) --no-print-directory e2e

# All that runs no test of Python; the long ones first.
checks: types web web-test lint

setup: $(STAMPS)/python

web: $(STAMPS)/web

lint: setup
	$(RUN) ruff check .
	$(RUN) ruff format --check .

types: setup
	$(RUN) mypy

unit: setup web $(SPARK)
	$(PYTEST) -n 3 -m "not e2e" $(PYTEST_ARGS)

# After the others: here a browser draws with the processor.
e2e: setup web
	$(PYTEST) -n 2 -m e2e $(PYTEST_ARGS)

web-test: $(STAMPS)/npm
	cd web && $(NODE_PATH_ENV) npx vue-tsc --noEmit && $(NODE_PATH_ENV) npx vitest run

# Describe the interface anew and generate the client's types from it.
api: setup $(STAMPS)/npm
	$(RUN) python -c 'import json; from cityloop.serve.app import create_app; print(json.dumps(create_app({}).openapi(), ensure_ascii=False, indent=1))' > web/openapi.json
	cd web && $(NODE_PATH_ENV) npm run --silent api

$(STAMPS)/uv/bin/uv:
	@mkdir -p $(STAMPS)
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "cityloop needs Python 3.11 or newer"; exit 1; }
	python3 -m venv $(STAMPS)/uv || { echo "Python lacks its venv module: on Debian, apt-get install python3-venv"; exit 1; }
	$(STAMPS)/uv/bin/pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'

$(STAMPS)/python: pyproject.toml uv.lock | $(UV)
	@mkdir -p $(STAMPS)
	$(UV) sync --frozen --quiet
	@touch $@

# Where Java is, the tests of the second engine run against a real Spark cluster.
$(STAMPS)/spark: $(STAMPS)/python
	$(UV) sync --frozen --quiet --extra spark
	@touch $@

$(STAMPS)/npm: web/package.json web/package-lock.json $(STAMPS)/python
	cd web && $(NODE_PATH_ENV) npm ci --ignore-scripts --no-audit --no-fund --prefer-offline
	@touch $@

$(STAMPS)/web: $(STAMPS)/npm $(WEB_SOURCES)
	cd web && $(NODE_PATH_ENV) npx vite build --logLevel warn
	@touch $@

clean:
	rm -rf $(STAMPS) .venv web/node_modules src/cityloop/serve/static data
