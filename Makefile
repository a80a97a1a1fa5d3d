# make demo: a real FHIR server with example patients, crs-cds beside it, and its cards
# make test: style, types and tests
# make test-fast: style, types, and the tests of the rules

PYTHON := $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
# two more than there are cores: many tests wait for a server that hangs, or for a browser
WORKERS := $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 2)')

.PHONY: demo test test-fast selftest evaluate-demo programs lint types check same-answers docs fuzz drill sbom deploy-check deploy-render screenshots bench soak mutants lock clean

demo: .venv/ready
	$(BIN)/python -m example_patients.programs.demo

# the example patients on a FHIR server of yours, and what your crs-cds (or, without SERVICE, one of this checkout) says:
# make selftest FHIR=https://… [SERVICE=https://…] [TOKEN_ENV=NAME] [OPTIONS="--key …"]
FHIR_TOKEN = $(if $(TOKEN_ENV),--token-env $(TOKEN_ENV))
ASKED = $(if $(SERVICE),$(BIN)/crs-cds selftest "$(SERVICE)" --fhir,$(BIN)/python -m example_patients.programs.selftest_here)
selftest: .venv/ready
	@test -n "$(FHIR)" || { echo "say where: make selftest FHIR=https://… [SERVICE=https://…]"; exit 2; }
	$(BIN)/crs-cds seed "$(FHIR)" $(FHIR_TOKEN)
	$(ASKED) "$(FHIR)" $(FHIR_TOKEN) $(OPTIONS)

test: .venv/ready programs lint types check

# for the loop of work: style, types, the tables of the rules and the units, in less than a minute; without the unit tests
# that take long and say nothing of the rules
SLOW := benchmarks cohorts evaluation_tables freed_memory growth large_calls release secrets_in_settings
test-fast: .venv/ready lint types
	$(BIN)/python -m pytest -n auto $(SLOW:%=--ignore=tests/unit/test_%.py) tests/spec tests/unit

programs:
	@sh tests/install_programs.sh

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/hadolint Dockerfile

types:
	$(BIN)/mypy

check:
	$(BIN)/python -m pytest -n $(WORKERS)

# does this checkout answer every broken chart as another commit does? make same-answers BASE=<commit>
same-answers: .venv/ready
	@test -n "$(BASE)" || { echo "say with what: make same-answers BASE=<commit>"; exit 2; }
	$(BIN)/python -m tests.support.same_answers "$(BASE)"

# the pages made from the rules and the spec tests, the factors of the units, the API description; `make test` fails when
# they are stale
docs: .venv/ready
	$(BIN)/python -m tests.support.unit_factors
	env -u CRS_CDS_THRESHOLDS -u CRS_CDS_VALUE_SETS $(BIN)/crs-cds decision-table > docs/decision-table.md
	$(BIN)/python -m tests.support.clinical_rules > docs/clinical-rules.md
	$(BIN)/python -m tests.support.safety_pages
	$(BIN)/python -m tests.support.api_description
	$(BIN)/python -m tests.support.licences

# by hand: calls made from the API description, other ones each time; what finds a fault is kept for `make test`
FUZZ_MINUTES := 10
fuzz: .venv/ready
	$(BIN)/python -m tests.support.api_fuzz $(FUZZ_MINUTES)

# what the runbook says to do by hand, done on SQLite and PostgreSQL; prints the rows before and after
drill: .venv/ready programs
	$(BIN)/python -m tests.support.drill

# what the service is made of, for a scanner (CycloneDX): the pinned packages and the wheel, in an environment of their
# own; and the same with each extra that a site may install
VERSION := $(shell sed -n 's/^version = "\(.*\)"$$/\1/p' pyproject.toml)
SBOMS := sbom-run sbom-otel sbom-evaluate sbom-cluster
.PHONY: $(SBOMS)
.NOTPARALLEL: sbom
sbom: $(SBOMS)

$(SBOMS): sbom-%: .venv/ready
	rm -rf .venv-sbom && $(PYTHON) -m venv .venv-sbom
	.venv-sbom/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/$*.txt
	$(BIN)/python -m hatchling build -t wheel -d dist
	.venv-sbom/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-index \
		dist/crs_cds-$(VERSION)-py3-none-any.whl
	.venv-sbom/bin/python -m pip --disable-pip-version-check uninstall --quiet --yes pip setuptools
	$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --of JSON \
		-o dist/crs-cds-$(VERSION)$(patsubst -run,,-$*).cdx.json .venv-sbom/bin/python
	@$(BIN)/python -m tests.support.sbom $* dist/crs-cds-$(VERSION)$(patsubst -run,,-$*).cdx.json
	@rm -rf .venv-sbom

# by hand, because building helm takes minutes the first time: the chart is sound, and deploy/kubernetes.yaml is what it
# renders (`make deploy-render` writes it); `make test` checks the file, and that the chart is the one it was made from
HELM_VERSION := v4.3.1
PROGRAMS := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/crs-cds/$(HELM_VERSION)
HELM := $(PROGRAMS)/helm
CHART := deploy/helm --values deploy/helm/example-values.yaml
RENDER = { $(BIN)/python -m tests.support.chart && $(HELM) template crs-cds $(CHART); }
$(HELM):
	GOBIN=$(PROGRAMS) go install helm.sh/helm/v4/cmd/helm@$(HELM_VERSION)

deploy-render: .venv/ready $(HELM)
	$(RENDER) > deploy/kubernetes.yaml

deploy-check: .venv/ready $(HELM)
	$(HELM) lint --strict $(CHART)
	$(RENDER) | diff - deploy/kubernetes.yaml
	$(BIN)/kubernetes-validate --strict deploy/kubernetes.yaml
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec deploy/compose.yaml

# the example patients on a FHIR server, its Bulk Data export, and the report of it, in build/evaluate-demo/report
evaluate-demo: .venv/ready
	$(BIN)/python -m example_patients.programs.evaluate_demo build/evaluate-demo

# by hand: what a call costs beside the limit and beside peers, into benchmarks/RESULTS.md; a few minutes
bench: .venv/ready .venv-bench/ready .venv-site/ready
	$(BIN)/python -m benchmarks

# by hand: order-sign held under load, memory, errors and lost decisions counted: make soak [MINUTES=10]
MINUTES := 10
soak: .venv/ready
	$(BIN)/python -m benchmarks.load $(MINUTES)

.venv-bench/ready: requirements/bench.txt
	$(PYTHON) -m venv --clear .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bench.txt
	@touch $@

# the pinned packages of a site and nothing else: what tests need makes a worker larger
.venv-site/ready: requirements/run.txt pyproject.toml | .venv/ready
	$(PYTHON) -m venv --clear .venv-site
	.venv-site/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	$(BIN)/python -m hatchling build -t wheel -d dist
	.venv-site/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-index \
		dist/crs_cds-$(VERSION)-py3-none-any.whl
	@touch $@

# the pictures of the README, in docs/images/
screenshots: .venv/ready programs
	$(BIN)/python -m tests.browser.screenshots

# by hand: how many small mistakes in the grade, the fold change and the table the tests would not notice; an hour. It has
# an environment of its own: what mutmut brings along changes the names of processes
mutants: .venv-mutants/ready
	rm -rf mutants
	.venv-mutants/bin/python -m tests.support.mutation_run
	.venv-mutants/bin/mutmut results

.venv-mutants/ready: requirements/mutants.txt
	$(PYTHON) -m venv --clear .venv-mutants
	.venv-mutants/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/mutants.txt
	.venv-mutants/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venv/ready: requirements/test.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "crs-cds needs Python 3.11 or newer"; exit 1; }
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/test.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# run by hand when a dependency changes; the files carry hashes and no index address. What a site installs is what was
# tested, in its version
lock:
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet "pip-tools>=7.5"
	for what in test run otel evaluate cluster mutants build bench; do \
		from=pyproject.toml; \
		case $$what in \
			run) extra="--constraint requirements/test.txt" ;; \
			otel) extra="--extra otel --constraint requirements/test.txt" ;; \
			evaluate) extra="--extra evaluate --constraint requirements/test.txt" ;; \
			cluster) extra="--extra cluster --extra evaluate --constraint requirements/test.txt" ;; \
			test) extra="--extra cluster --extra demo --extra evaluate --extra otel --extra test" ;; \
			mutants) extra="--extra cluster --extra demo --extra evaluate --extra otel --extra test --extra mutants" ;; \
			build) extra="--only-build-deps --build-deps-for wheel" ;; \
			bench) extra=""; from=requirements/bench.in ;; \
		esac; \
		CUSTOM_COMPILE_COMMAND="make lock" .venv-lock/bin/pip-compile --quiet --upgrade --generate-hashes \
			--strip-extras --allow-unsafe --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
			--resolver backtracking $$extra --output-file requirements/$$what.txt $$from || exit 1; \
	done

clean:
	rm -rf .venv .venv-lock .venv-bench .venv-site .venv-mutants .venv-sbom .mypy_cache .ruff_cache mutants
