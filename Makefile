# Two commands matter: `make demo` and `make test`. Each sets up what it needs, given Python 3.11 or later and make.
BIN := .venv/bin
# The first Python from 3.11 on that has venv; `make PYTHON=/path/to/python` chooses another.
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3.14 python3; do \
	$$python -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
SERVICES := registration matching scheduler notify portal events
LOCKS := $(SERVICES:%=requirements/%.lock)
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate \
	--no-emit-index-url --python-version 3.11 pyproject.toml

.PHONY: help setup demo chaos tools test prove-seeds prove-bodies prove-remedies check format lock secrets release-check images sbom kafka clean
help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: .venv/.ready  ## make the .venv with every extra
.venv/.ready: requirements/dev.lock requirements/setup.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or later with venv on the PATH. Install one: on Debian and Ubuntu,"; \
		echo "'apt-get install python3 python3-venv'; elsewhere, see https://www.python.org/downloads/."; \
		echo "A Python in another place: make PYTHON=/path/to/python"; exit 1; }
	@echo "Setting up .venv with $(PYTHON): $$($(PYTHON) --version)"
	@$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/setup.lock
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements/dev.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@# The scheduler's search is compiled once, here; else the first agenda that is improved waits for it.
	$(BIN)/python -c "from services.scheduler.solver.polish import warm_up; warm_up()"
	@touch $@

demo: setup  ## run a whole edition on the embedded stack; writes demo-output/
	$(BIN)/tertulia demo $(DEMO_OPTIONS)

chaos: setup  ## break everything at once on three Kafka brokers, then verify (CHAOS_SECONDS, CHAOS_SEED)
	$(BIN)/python -m tests.chaos --seconds $(or $(CHAOS_SECONDS),600) $(CHAOS_SEED:%=--seed %) $(CHAOS_OPTIONS)

tools: setup  ## install the outside checkers that tests call (apt, npm, Maven, Go)
	@$(BIN)/python -m tests.tools

test: check tools  ## run all tests, the integration tests on Apache Kafka
	@# What asks for real servers has both cores to itself; all else shares them, a file at a time.
	$(BIN)/pytest --numprocesses 2 --dist loadfile --ignore tests/integration --ignore tests/e2e $(PYTEST_OPTIONS)
	$(BIN)/pytest tests/integration tests/e2e $(PYTEST_OPTIONS)

prove-seeds: setup  ## run every property test with fresh random seeds (SEEDS=10, FIRST_SEED)
	@first=$(or $(FIRST_SEED),$$(date +%s)); failed=; \
	for seed in $$(seq $$first $$((first + $(or $(SEEDS),10) - 1))); do echo "Seed $$seed"; \
		$(BIN)/pytest -q -m hypothesis --numprocesses 2 --timeout 1800 --hypothesis-seed $$seed \
			--ignore tests/integration --ignore tests/e2e $(PYTEST_OPTIONS) || failed="$$failed $$seed"; \
	done; \
	test -z "$$failed" || { echo "Failed seeds:$$failed. Again: make prove-seeds SEEDS=1 FIRST_SEED=<seed>"; exit 1; }

prove-bodies: setup  ## send random requests to the running product, drain, check (CASES=20000, SEED)
	$(BIN)/python -m tests.bodies --cases $(or $(CASES),20000) $(SEED:%=--seed %)

prove-remedies: setup  ## carry out the remedies of thousands of waiting encounters (EDITIONS=70)
	$(BIN)/tertulia bench remedies $(EDITIONS:%=--editions %)

prove-alerts: setup tools  ## plant faults beside a real Prometheus; each alert fires within a minute
	$(BIN)/python -m tests.alerts

check: setup  ## format, lint, types, import contracts, reference pages, house rules, locks
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy --no-error-summary
	$(BIN)/lint-imports
	$(BIN)/tertulia docs --check
	$(BIN)/python -m deploy --check
	$(BIN)/python -m tests.house
	@for name in $(SERVICES) dev; do cp requirements/$$name.lock .venv/$$name.lock; done
	@$(MAKE) --no-print-directory LOCK_DIR=.venv lock
	@for name in $(SERVICES) dev; do diff -q requirements/$$name.lock .venv/$$name.lock \
		|| { echo "requirements/$$name.lock is not what pyproject.toml asks for: run 'make lock'"; exit 1; }; done

format: setup  ## format the code, and write the reference pages
	$(BIN)/ruff check --quiet --fix . ; $(BIN)/ruff format --quiet .
	$(BIN)/tertulia docs
	$(BIN)/python -m deploy
	$(BIN)/python -m tests.house --lower

LOCK_DIR ?= requirements
lock: setup  ## pin what pyproject.toml asks for; keeps pins that still fit
	@for name in $(SERVICES); do $(COMPILE) --extra $$name -o $(LOCK_DIR)/$$name.lock >/dev/null; done
	@$(COMPILE) --all-extras --group dev -o $(LOCK_DIR)/dev.lock >/dev/null

secrets: deploy/secrets/TERTULIA_INTERNAL_TOKEN  ## make the secrets of deploy/compose.yaml that are not there yet
deploy/secrets/%:
	@mkdir -p -m 700 deploy/secrets
	@# The folder keeps others on this machine out; the services' user in the containers has to read the file.
	@head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n' > $@ && chmod 444 $@
	@echo "$@ written"

release-check: setup  ## refuse a release whose images are not pinned by digest (BASE_DIGEST=sha256:...)
	@$(BIN)/python -m deploy.release $(BASE_DIGEST)

images: release-check  ## build the images of a release with Docker (BASE_DIGEST=sha256:...)
	for name in $(SERVICES); do docker build -f deploy/Dockerfile --build-arg SERVICE=$$name \
		--build-arg BASE_DIGEST=$(BASE_DIGEST) -t tertulia-$$name . || exit 1; done

sbom: setup  ## write a bill of materials (CycloneDX) for each service, into sbom/
	@$(BIN)/python -m deploy.sbom

kafka: setup  ## fetch Apache Kafka from Maven Central and run one broker (BROKERS=3: three)
	$(BIN)/tertulia kafka --brokers $(or $(BROKERS),1)

clean:  ## forget the .venv, caches and output
	rm -rf sbom .venv .cache .tertulia demo-output .mypy_cache .pytest_cache .ruff_cache .hypothesis
