# Everything starts from `python3` alone: uv is used if it is there and installed into .tools if not.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

UV := $(or $(shell command -v uv),.tools/bin/uv)
RUN := $(UV) run --no-sync
PORT ?= 8000
OPEN ?= 1
DATA ?=
ROUNDS ?= 200
CASES ?= 50000
MINUTES ?= 60
STORE_PORT ?= 5599
STORE := http://127.0.0.1:$(STORE_PORT)
export UV_NO_PROGRESS ?= 1

.PHONY: help demo test coverage check bench torture bounds soak fuzz spark object-store stack docs screenshot setup setup-demo setup-bench format clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

.tools/bin/uv:
	@echo "==> installing uv into .tools"
	@python3 -m venv .tools 2>/dev/null && .tools/bin/python -m pip install --quiet uv \
	  || (rm -rf .tools && python3 -m pip install --quiet --target .tools uv)

setup: $(filter .tools%,$(UV))
	@echo "==> preparing the development environment (.venv)"
	@$(UV) sync --locked --quiet --inexact --group docs

setup-demo: $(filter .tools%,$(UV))
	@echo "==> preparing the environment (.venv)"
	@$(UV) sync --locked --quiet --inexact --no-default-groups --extra serve

setup-bench: setup
	@$(UV) sync --locked --quiet --inexact --group docs --group bench

demo: setup-demo ## learn from 100,000 real ratings and open the storefront (OPEN=0 PORT=8123)
	@echo "==> starting the demonstration on port $(PORT)"
	@exec $(RUN) foretaste demo --port $(PORT) $(if $(filter 0,$(OPEN)),--no-open)

test: setup ## run the test suite
	@echo "==> running the tests"
	@$(RUN) pytest -n auto --dist worksteal

coverage: setup ## run the test suite and say which lines it leaves out (takes about twice as long)
	@echo "==> running the tests, watching which lines they reach"
	@$(RUN) pytest -n auto --dist worksteal --cov --cov-report=term:skip-covered

check: setup ## format, lint, types, import rules, documentation, then the tests
	@echo "==> format"
	@$(RUN) ruff format --check .
	@echo "==> lint"
	@$(RUN) ruff check .
	@echo "==> types"
	@$(RUN) mypy
	@echo "==> import rules"
	@$(RUN) lint-imports
	@echo "==> documentation"
	@$(RUN) mkdocs build --strict --quiet
	@$(MAKE) --no-print-directory test

format: setup ## bring the code into form
	@$(RUN) ruff format .
	@$(RUN) ruff check --fix .

bench: setup-bench ## run the benchmarks (DATA=folder adds those on data that must be fetched by hand)
	@echo "==> running the benchmarks"
	@$(RUN) python benchmarks/run_all.py $(if $(DATA),--data $(DATA))

torture: setup ## kill service, keeper, workers, PostgreSQL, Redis, Kafka and cut the power, $(ROUNDS) times each
	@echo "==> killing each $(ROUNDS) times"
	@FORETASTE_KILL_ROUNDS=$(ROUNDS) $(RUN) pytest -s -k "kill or die or notice" tests/reliability \
	  tests/adapters/test_postgres_log.py tests/adapters/test_delta_kill.py tests/redis_valkey/test_redis_kills.py \
	  tests/kafka/test_kafka_faults.py tests/kafka/test_kafka_rebalance.py

bounds: setup ## run the tests of kernels with every index checked and freed memory overwritten
	@rm -rf .bounds
	@NUMBA_BOUNDSCHECK=1 NUMBA_CACHE_DIR=$(CURDIR)/.bounds MALLOC_PERTURB_=165 $(RUN) pytest \
	  tests/features tests/models tests/pipeline tests/policy tests/ranking tests/retrieval tests/serving

soak: setup ## load a service with everything at once for $(MINUTES) minutes and watch its memory
	@FORETASTE_SOAK_MINUTES=$(MINUTES) $(RUN) pytest -m slow --log-cli-level=INFO tests/soak

fuzz: setup ## send $(CASES) requests made up from the interface's description to a running service
	@FORETASTE_FUZZ_CASES=$(CASES) $(RUN) pytest -m slow tests/fuzz

stack: setup ## run PostgreSQL, Redis and Kafka without containers and print their URLs
	@echo "==> starting servers (.stack); Ctrl-C ends them"
	@exec $(RUN) python -m foretaste.testing.servers.stack .stack

spark: setup ## check that Spark reads the archive, and Foretaste what Spark wrote (needs Java 17, Maven)
	@echo "==> Spark in an environment of its own (.tools/spark)"
	@test -x .tools/spark/bin/python || $(UV) venv --quiet --python 3.11 .tools/spark
	@$(UV) pip install --quiet --python .tools/spark/bin/python pyspark==4.0.0
	@test -d .tools/spark-jars || mvn -q -B -f tests/spark/pom.xml dependency:copy-dependencies \
	  -DoutputDirectory=$(CURDIR)/.tools/spark-jars
	@FORETASTE_SPARK_PYTHON=$(CURDIR)/.tools/spark/bin/python FORETASTE_SPARK_JARS=$(CURDIR)/.tools/spark-jars \
	  $(RUN) pytest -m slow tests/spark

object-store: setup ## check that the archive keeps its promises on an object store (moto stands for S3)
	@echo "==> moto in an environment of its own (.tools/moto), on port $(STORE_PORT)"
	@test -x .tools/moto/bin/python || $(UV) venv --quiet --python 3.11 .tools/moto
	@$(UV) pip install --quiet --python .tools/moto/bin/python 'moto[server]==5.2.5'
	@.tools/moto/bin/moto_server -p $(STORE_PORT) >.tools/moto/server.log 2>&1 & trap "kill $$!" EXIT; \
	  curl -fsS --retry 60 --retry-delay 1 --retry-connrefused -X PUT $(STORE)/foretaste >/dev/null; \
	  AWS_ENDPOINT_URL=$(STORE) AWS_ALLOW_HTTP=true AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=any \
	  AWS_SECRET_ACCESS_KEY=any FORETASTE_TEST_S3_URL=s3://foretaste/archive \
	  $(RUN) pytest -m slow tests/adapters/test_delta_object_store.py

docs: setup ## build the documentation into site/
	@$(RUN) mkdocs build --strict

screenshot: setup ## take the README's pictures from a running demonstration (needs Chromium)
	@$(RUN) python scripts/screenshot.py

clean: ## remove what was built
	rm -rf .venv .tools site dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage
