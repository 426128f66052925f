# Everything a developer does has one command here; `make help` lists them.
# Needed: Go and make. `make test` installs what else the tests use.

GO       ?= go
ARGS     ?=
BENCH    ?= .
PKG      ?= ./...
BENCHTIME ?= 0.2s
FUZZTIME ?= 20s
SEED     ?= 1
RUNS     ?= 1000

BIN  := bin/centrala
LINT := bin/tools/golangci-lint
# The commit goes into the binary where git can tell it.
VCS  := $(shell git rev-parse HEAD >/dev/null 2>&1 || echo -buildvcs=false)

.DEFAULT_GOAL := help

.PHONY: run
run: build ## start the server with the built-in sample configuration (data in ./data); ARGS="--config F" for your own
	./$(BIN) serve $(ARGS)

.PHONY: build
build: ## build bin/centrala
	CGO_ENABLED=0 $(GO) build $(VCS) -trimpath -o $(BIN) ./cmd/centrala

# The race detector is spared SQLite's C in Go's clothes, which only ever works for one goroutine
# at a time: tests that use it take a third of the time. As GOFLAGS, so that the server which the
# end-to-end tests build has it, too.
RACE := GOFLAGS="$(GOFLAGS) -gcflags=modernc.org/sqlite/lib=-race=false -gcflags=modernc.org/libc=-race=false" $(GO) test -race

# Packages that speak to telephones and networks wait more than they work, and so do the
# end-to-end tests: four at a time.
.PHONY: test
test: deps check ## install what the tests need, check the source, run all tests
	$(RACE) -shuffle=on -timeout 40m -p 4 $$($(GO) list ./... | grep -Ev '/e2e(/|$$)')
	$(RACE) -shuffle=on -timeout 40m -parallel 4 ./e2e/...

.PHONY: check
check: tools ## format, vet, lint, go.mod and generated files; changes nothing but outdated generated files
	@echo "gofmt -l ."; bad=$$(gofmt -l .); [ -z "$$bad" ] || { echo "not formatted:"; echo "$$bad"; exit 1; }
	$(GO) vet ./...
	$(LINT) run ./...
	$(GO) mod tidy -diff
	./scripts/check-generated.sh

.PHONY: ui
ui: ## build the console (web/ui) into web/dist, which is committed; needs node 18 and npm
	./scripts/build-ui.sh

.PHONY: screens
screens: deps ## take pictures of the console's screens into docs/screens
	$(GO) test -count=1 -timeout 20m -run TestScreens ./e2e -screens docs/screens

.PHONY: e2e
e2e: deps ## run the end-to-end tests alone: the server with sipp, baresip and linphone
	$(RACE) -count=1 -v ./e2e/...

.PHONY: bench
bench: bench-media bench-calls bench-go ## run all benchmarks, a quarter of an hour on 2 cores (docs/benchmarks.md)

.PHONY: bench-go
bench-go: ## run the benchmarks of the packages, BENCHTIME (0.2s) each; BENCH=Apply PKG=./acd for some of them
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) -benchmem -timeout 5m $$($(GO) list $(PKG) | grep -Ev '/e2e(/|$$)')

.PHONY: bench-media
bench-media: ## measure the media plane beside its floor, and what it adds to a bad network
	$(GO) run ./media/mediabench -seconds 3
	$(GO) test -run '^$$' -bench Impaired -benchtime 250x ./media

.PHONY: bench-calls
bench-calls: deps build ## measure the whole server beside sipp
	$(GO) run ./e2e/callbench

.PHONY: bench-chats
bench-chats: deps build ## measure the whole server with 5,000 chat windows and 250 agents, about two minutes
	$(GO) run ./e2e/chatbench

.PHONY: fuzz
fuzz: ## run every fuzz test for FUZZTIME (20s)
	./scripts/fuzz.sh $(FUZZTIME)

.PHONY: sim
sim: ## simulate RUNS seeded days at the core, beginning with SEED
	$(GO) test -count=1 ./acd/sim -args -seed $(SEED) -runs $(RUNS)

.PHONY: mutants
mutants: ## break the core's rules one at a time and have the simulator find each (minutes); writes docs/simulator.md
	$(GO) test -count=1 -timeout 120m ./acd/sim -run TestMutants -args -mutants

.PHONY: deps
deps: ## install the programs that the tests use besides Go
	./scripts/install-test-deps.sh

.PHONY: tools
tools: $(LINT) ## build the tools of `make check` at the versions of tools/go.mod

$(LINT): tools/go.mod tools/go.sum
	$(GO) -C tools build -o ../bin/tools/ tool
	@touch $@

.PHONY: help
help: ## list these commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile
