# make demo   runs the main job on a real local homeserver
# make test   passes the tests
# The rest is for who works on it. Everything that has to be installed goes to .cache/.

HOMESERVER ?= dendrite
FUZZTIME   ?= 60s
GO         ?= go
TAGS       := -tags goolm
# go list also finds packages in directories that are no part of the product.
UNIT        = $(shell $(GO) list $(TAGS) ./... | grep -v /e2e)

.PHONY: bench bench-his conformance storm demo play test unit e2e races faults fuzz lint build install

demo: install ## the main job, told step by step: HOMESERVER=dendrite or synapse
	$(GO) run $(TAGS) ./e2e/demo -homeserver $(HOMESERVER)

play: install ## the same servers, left running for you and a client
	$(GO) run $(TAGS) ./e2e/demo -homeserver $(HOMESERVER) -play

test: install unit e2e ## everything

unit: ## without homeservers
	$(GO) test $(TAGS) -race -timeout 20m $(UNIT)
	$(GO) test $(TAGS),faultpoints -race ./internal/...

# Never from Go's cache: it does not see that the bridge, which the tests build, has changed.
e2e: install ## real homeservers, real clients; one package at a time, as they share two cores
	rm -rf .cache/bundles
	$(GO) test $(TAGS) -race -count 1 -timeout 45m -p 1 ./e2e/...

races: ## make e2e with the race detector in the bridge as well; takes longer
	E2E_RACE=1 $(MAKE) e2e

faults: install ## every fault, on every homeserver and database; writes the table of docs/reliability.md
	rm -f .cache/faults.jsonl
	$(GO) test $(TAGS) -count 1 -timeout 60m -v -run '^TestFaults$$' ./e2e/faults -long \
		-results $(CURDIR)/.cache/faults.jsonl -table $(CURDIR)/docs/reliability.md

bench: install ## beside the same homeserver without the bridge; writes docs/performance.md; then bench-his
	$(GO) run $(TAGS) ./e2e/bench -homeserver dendrite
	$(GO) run $(TAGS) ./e2e/bench -homeserver synapse
	$(MAKE) bench-his

# What a run finds is written to testdata/fuzz, and is from then on a seed of the unit tests.
fuzz: ## every parser of outside input, each for FUZZTIME
	@set -e; for package in $(UNIT); do \
		for name in $$($(GO) test $(TAGS) -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
			echo "=== $$package $$name"; \
			$(GO) test $(TAGS) -run '^$$' -fuzz "^$$name$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 50x $$package; \
		done; \
	done

conformance: install ## the FHIR connector on HAPI and Medplum, and every Bundle, also all that the last `make e2e` filed, before HAPI's validator; then the running bridge with HAPI as its HIS; needs Java 17 and Maven
	his/conformance/peers/install.sh
	HIS_BUNDLES="$${HIS_BUNDLES:-$(wildcard $(CURDIR)/.cache/bundles)}" \
		$(GO) test $(TAGS),conformance -count 1 -timeout 20m ./his/conformance
	$(GO) test $(TAGS),conformance -count 1 -timeout 30m -run '^TestTheBridgeFilesInAFHIRServer$$' ./e2e/his

storm: install ## 500 messages through a network of which three in ten requests to the HIS come to grief, with the bridge running; up to a quarter of an hour
	his/conformance/peers/install.sh
	$(GO) test $(TAGS),conformance -count 1 -timeout 30m -v -run '^TestFiveHundredMessagesThroughABadNetwork$$' ./e2e/his

bench-his: install ## how fast messages are filed: by the store behind 100,000, and on HAPI beside a bare HTTP client with the same Bundles
	$(GO) test $(TAGS) -count 1 -v -run FilingIsAsQuick ./store | grep 'filed/s'
	his/conformance/peers/install.sh
	$(GO) test $(TAGS),conformance -run '^$$' -bench Filing -benchtime 500x -timeout 20m ./his/conformance

lint: install ## form, and what the compiler does not see
	@bad=$$(git ls-files --cached --others --exclude-standard '*.go' | xargs gofmt -l); \
		if [ -n "$$bad" ]; then echo "run gofmt -w on:"; echo "$$bad"; exit 1; fi
	$(GO) vet $(TAGS) ./...
	$(GO) vet $(TAGS),faultpoints ./internal/...
	$(GO) vet $(TAGS),conformance ./his/... ./e2e/his
	.cache/bin/staticcheck $(TAGS) ./...
	for script in .ci/run e2e/tools/*.sh his/conformance/peers/install.sh; do bash -n $$script; done

build: ## the one binary, in bin/
	$(GO) build $(TAGS) -trimpath -o bin/spreekkamer ./cmd/spreekkamer

install: ## homeservers, PostgreSQL, the test client and the linter; nothing on the system
	e2e/tools/install.sh
