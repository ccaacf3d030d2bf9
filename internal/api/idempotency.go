package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"

	"fanfare/internal/idempotency"
)

// idempotencyHeader names a request, so that it can be repeated without acting twice.
const idempotencyHeader = "Idempotency-Key"

// serveOnce performs a request, unless one with its key was answered before.
func (a *API) serveOnce(w http.ResponseWriter, r *http.Request, e endpoint) {
	key := r.Header.Get(idempotencyHeader)
	if len(key) > idempotency.MaxKey {
		writeProblem(w, badRequest("Idempotency-Key has more than %d bytes", idempotency.MaxKey))
		return
	}
	request, err := e.fingerprint(r)
	if err != nil {
		writeProblem(w, a.explain(err))
		return
	}
	before, claim, err := a.deps.Requests.Begin(r.Context(), key, request)
	switch {
	case errors.Is(err, idempotency.ErrRunning):
		writeProblem(w, &problem{Status: http.StatusConflict, Title: "Still running", Detail: err.Error()})
		return
	case errors.Is(err, idempotency.ErrDifferent):
		writeProblem(w, badRequest("%v", err))
		return
	case err != nil:
		writeProblem(w, a.explain(err))
		return
	case before != nil:
		w.Header().Set("Idempotency-Replayed", "true")
		answer{before.Status, before.Type, before.Body}.write(w)
		return
	}
	done := a.runHolding(claim, e, r)
	a.keep(r.Context(), claim, e, done)
	done.write(w)
}

// runHolding performs a request, which may take longer than a claim lasts.
func (a *API) runHolding(claim *idempotency.Claim, e endpoint, r *http.Request) answer {
	ctx, stop := context.WithCancel(r.Context())
	defer stop()
	go claim.Hold(ctx)
	return a.run(e, r)
}

// keep remembers an answer, whether or not the caller still waits for it.
func (a *API) keep(ctx context.Context, claim *idempotency.Claim, e endpoint, done answer) {
	ctx = context.WithoutCancel(ctx)
	var err error
	if e.mayChange(done.status) {
		err = claim.Release(ctx)
	} else {
		err = claim.Answer(ctx, idempotency.Answer{Status: done.status, Type: done.kind, Body: done.body})
	}
	if err != nil {
		a.deps.Logger.Error("API answer not kept; a repeated request may act again", "error", err)
	}
}

// mayChange reports whether a repeated request may get another answer than this one. An upload that
// broke off, or whose file had a fault, is repeated with the same key.
func (e endpoint) mayChange(status int) bool {
	return status >= http.StatusInternalServerError || status == http.StatusRequestTimeout || e.takesAudience() && status >= http.StatusBadRequest
}

// fingerprint is what distinguishes a request. An audience is too long to be read beforehand; a
// load recognizes its own audience.
func (e endpoint) fingerprint(r *http.Request) (string, error) {
	text := r.Method + " " + r.URL.RequestURI() + "\n"
	if e.takesAudience() {
		return text, nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	if err != nil {
		return "", bodyProblem(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return text + string(body), nil
}
