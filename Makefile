# make demo     the main job in one process: needs Go and nothing else
# make test     every test, race detector on; installs the servers it needs where it may
# make          the programs, into bin/

GO ?= go
# firebase-admin for Node.js, which judges the simulator's answers
JUDGE = test/judges/node/node_modules/.package-lock.json

.PHONY: build test lint demo bench image ci clean

build:
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/ ./cmd/...

test:
	./tools/test-servers.sh
	@$(MAKE) --no-print-directory $(JUDGE)
	CGO_ENABLED=1 $(GO) test -race -timeout 20m ./...

$(JUDGE): test/judges/node/package-lock.json
	npm ci --prefix test/judges/node --ignore-scripts --omit=optional --no-audit --no-fund

lint:
	$(GO) tool -modfile=tools/go.mod golangci-lint run

demo:
	$(GO) run ./cmd/fanfare demo

# Prints figures; nothing in it passes or fails by the clock.
bench:
	./tools/test-servers.sh
	$(GO) test -run '^$$' -bench . -benchtime 1x -timeout 60m ./test/bench/...
	$(GO) test -run '^$$' -bench Answers -benchtime 5s ./fcmsim
	$(GO) test -run '^$$' -bench Governors -benchtime 1x ./internal/pacing
	$(GO) test -run Courses -v ./internal/inflight -pace 10000 -rivals

image:
	docker build -t fanfare .

ci:
	./.ci/run

clean:
	rm -rf bin
