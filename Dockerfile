# All programs in one image: docker run fanfare dispatcher --campaign 42
#
# There is no shell and no curl in the image, so no HEALTHCHECK either: probe /livez and /readyz over HTTP from outside
# (deploy/kubernetes does). They are served on loopback by default; in a container set FANFARE_HTTP_DISPATCHER=:9464 and
# FANFARE_HTTP_RESPONDER=:9465. Credentials are mounted or come from the environment, and are never built in.

FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
# With .git, so that --version tells the commit.
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /out/ ./cmd/...

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/ /usr/local/bin/
USER nonroot:nonroot
CMD ["fanfare", "--help"]
