package wire

import (
	"context"
	"errors"
)

type stubResponder struct{}

func (stubResponder) Run(fetch, work context.Context) error { <-fetch.Done(); return nil }

// Responder makes a responder. It needs a database.
func (r *Rooms) Responder() (*stubResponder, error) {
	if r.Store == nil {
		return nil, errors.New("none")
	}
	return &stubResponder{}, nil
}
