package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
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
		replay(w, r, before)
		return
	}
	var upload *hashedBody // of an audience, which the fingerprint leaves out
	if e.takesAudience() {
		upload = newHashedBody(r.Body)
		r.Body = upload
	}
	done := a.runHolding(claim, e, r)
	a.keep(r.Context(), claim, e, done, upload)
	done.write(w)
}

// replay gives the answer of an earlier request again, if this one is the same.
func replay(w http.ResponseWriter, r *http.Request, before *idempotency.Answer) {
	if before.Upload != "" {
		switch digest, err := newHashedBody(r.Body).digest(); {
		case err != nil:
			writeProblem(w, bodyProblem(err))
			return
		case digest != before.Upload:
			writeProblem(w, badRequest("%v", idempotency.ErrDifferent))
			return
		}
	}
	w.Header().Set("Idempotency-Replayed", "true")
	answer{before.Status, before.Type, before.Body}.write(w)
}

// hashedBody is the body of a request, which is hashed while it is read.
type hashedBody struct {
	io.ReadCloser
	hash hash.Hash
}

func newHashedBody(body io.ReadCloser) *hashedBody { return &hashedBody{body, sha256.New()} }

func (b *hashedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.hash.Write(p[:n])
	return n, err
}

// digest reads the rest of the body, and returns the hash of all of it.
func (b *hashedBody) digest() (string, error) {
	if _, err := io.Copy(io.Discard, b); err != nil {
		return "", err
	}
	return hex.EncodeToString(b.hash.Sum(nil)), nil
}

// runHolding performs a request, which may take longer than a claim lasts.
func (a *API) runHolding(claim *idempotency.Claim, e endpoint, r *http.Request) answer {
	ctx, stop := context.WithCancel(r.Context())
	defer stop()
	go claim.Hold(ctx)
	return a.run(e, r)
}

// keep remembers an answer, whether or not the caller still waits for it.
func (a *API) keep(ctx context.Context, claim *idempotency.Claim, e endpoint, done answer, upload *hashedBody) {
	ctx = context.WithoutCancel(ctx)
	kept := idempotency.Answer{Status: done.status, Type: done.kind, Body: done.body}
	forget := e.mayChange(done.status)
	if !forget && upload != nil {
		var unread error
		kept.Upload, unread = upload.digest()
		forget = unread != nil // the caller is gone; a load recognizes its audience
	}
	var err error
	if forget {
		err = claim.Release(ctx)
	} else {
		err = claim.Answer(ctx, kept)
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

// fingerprint is what distinguishes a request, but for an audience, which is too long to be read
// beforehand.
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
