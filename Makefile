GO ?= go
# firebase-admin for Node.js, which judges the simulator's answers
JUDGE = test/judges/node/node_modules/.package-lock.json
# axe-core, which judges the console's pages
AXE = test/browser/node/node_modules/.package-lock.json
# the example of an application in NestJS, which the tests run
PRODUCER = examples/nestjs-producer/dist/main.js
# These tests run our programs, which are built without the race detector. Here it only slows down the tests' own code.
RUN_PROGRAMS = $(addprefix fanfare/test/,browser chaos docs e2e)

.PHONY: build test fuzz lint demo cast bench bench-audience bench-console bench-peers bench-chart screenshots image ci clean help

build: ## build the four programs into bin/
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags='-s -w' -o bin/ ./cmd/...

demo: ## run the main job in one process: needs Go and nothing else
	CGO_ENABLED=0 $(GO) run -trimpath ./cmd/fanfare demo

test: ## run every test with the race detector; install the servers it needs where it may
	./tools/test-servers.sh
	@$(MAKE) --no-print-directory $(JUDGE) $(AXE) $(PRODUCER)
	cd tools && $(GO) test -count=1 ./... # they read files outside their module, which the cache does not notice
	# By default, the race detector sleeps for a second at the end of each test program. Lint does what vet does.
	@status=0; set -x; \
	CGO_ENABLED=1 GORACE=atexit_sleep_ms=0 $(GO) test -race -vet=off -timeout 20m $(filter-out $(RUN_PROGRAMS),$(shell $(GO) list ./...)) || status=1; \
	CGO_ENABLED=0 $(GO) test -trimpath -vet=off -timeout 20m $(RUN_PROGRAMS) || status=1; \
	exit $$status

# fuzz: how long each of them searches.
FUZZTIME ?= 30s

fuzz: ## search for inputs that break what reads foreign bytes, FUZZTIME for each reader
	@grep -rHo --include='*_test.go' '^func Fuzz[A-Za-z]*' internal | while IFS=: read -r file name; do \
		echo "$$(dirname "$$file"): $${name#func }"; \
		$(GO) test -run '^$$' -fuzz "^$${name#func }\$$" -fuzztime $(FUZZTIME) "./$$(dirname "$$file")" || exit 1; \
	done

$(JUDGE) $(AXE): %/node_modules/.package-lock.json: %/package-lock.json
	npm ci --prefix $* --ignore-scripts --omit=optional --no-audit --no-fund

$(PRODUCER): examples/nestjs-producer/package-lock.json $(wildcard examples/nestjs-producer/src/*.ts)
	npm ci --prefix examples/nestjs-producer --ignore-scripts --no-audit --no-fund
	npm run build --silent --prefix examples/nestjs-producer

lint: ## run golangci-lint, and check the English of comments and texts
	cd tools && $(GO) run ./prose ../cmd ../fcmsim ../internal ../test ../examples
	$(GO) tool -modfile=tools/go.mod golangci-lint run
	cd test/bench/peers && $(GO) vet ./... # a module of its own

bench: ## print figures of this machine; nothing passes or fails by the clock
	./tools/test-servers.sh
	$(GO) test -run '^$$' -bench . -skip 'Peers$$' -benchtime 1x -timeout 60m ./test/bench/...
	$(GO) test -run '^$$' -bench 'Body|Render' ./internal/content
	$(GO) test -run '^$$' -bench Responses -benchtime 5s ./fcmsim
	$(GO) test -run '^$$' -bench Governors -benchtime 1x ./internal/pacing
	$(GO) test -run '^$$' -bench Memory/redis -benchtime 1000000x ./internal/dedupe
	$(GO) test -run '^$$' -bench Reserve/redis -benchtime 1000000x ./internal/caps
	$(GO) test -run Courses -v ./internal/inflight -pace 10000 -rivals

# bench-audience: how many recipients pass through Redis, such as AUDIENCE=100000000.
AUDIENCE ?= 2000000

bench-audience: ## print the rate of a load beside bare RPUSH, and pass AUDIENCE recipients through 512 MiB of Redis
	$(GO) test -run '^$$' -bench 'Load$$|LargeAudience' -benchtime 1x -timeout 120m ./test/bench -audience $(AUDIENCE)

bench-console: ## print how fast the console's pages are over ten million deliveries, and what open pages cost
	./tools/test-servers.sh
	$(GO) test -run '^$$' -bench Console -benchtime 1x -timeout 60m ./test/bench -deliveries 10000000

# bench-peers: how many rounds; only some parts, such as ONLY=dispatcher,sdk; QUICK=1 for a tenth of the recipients.
# Figures of some parts, or of a quick run, are printed and written nowhere.
PAIRS ?= 4
ONLY ?=
QUICK ?=

bench-peers: $(JUDGE) ## compare the dispatcher with other senders, and write the figures into docs and README
	./tools/test-servers.sh
	$(GO) test -run '^$$' -bench 'Peers$$' -benchtime 1x -timeout 40m ./test/bench \
		-pairs $(PAIRS) $(if $(ONLY),-only $(ONLY)) $(if $(QUICK),-quick) $(if $(ONLY)$(QUICK),,-result $(CURDIR)/docs/benchmarks.json)
	$(if $(ONLY)$(QUICK),,@$(MAKE) --no-print-directory bench-chart)

bench-chart: ## draw docs/benchmarks.svg and write the tables, from docs/benchmarks.json
	cd tools && $(GO) run ./chart

cast: build ## record the demo as docs/demo.svg; needs script(1) of util-linux
	cd tools && $(GO) run ./cast -o ../docs/demo.svg -shown 'make demo' 'cd .. && bin/fanfare demo'

screenshots: ## make the README's pictures of the console from the demo, with Chromium
	./tools/test-servers.sh
	$(GO) test ./test/browser -count 1 -run TestDemo -pictures $(CURDIR)/docs

image: ## build the container image
	docker build -t fanfare .

ci: ## run what has to hold before a change lands
	./.ci/run

clean: ## delete bin/
	rm -rf bin

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
