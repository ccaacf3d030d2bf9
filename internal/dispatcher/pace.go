package dispatcher

import (
	"context"

	"fanfare/internal/fcm"
)

// Pacer decides when a push may go out, and hears what became of it. It is the one place where a quota, a gate or
// a breaker can hold pushes back.
type Pacer interface {
	// Wait returns when one push of the campaign may go out, or with the context's error.
	Wait(ctx context.Context, campaign string) error
	// Observe hears each answer.
	Observe(campaign string, answer fcm.Answer)
}

// unpaced lets every push go at once: the pool is the only bound.
type unpaced struct{}

func (unpaced) Wait(ctx context.Context, _ string) error { return ctx.Err() }
func (unpaced) Observe(string, fcm.Answer)               {}
