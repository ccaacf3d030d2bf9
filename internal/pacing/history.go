package pacing

import (
	"cmp"
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/history"
	"fanfare/internal/notification"
)

// What the history of a project says, besides "quota set" and "quota reset".
const (
	NoteHalted  = "halted"
	NoteResumed = "resumed"
	// NoteRevealed is about the token of a user, which someone looked at.
	NoteRevealed = "token revealed"
)

// actor returns who acts.
func (g *Governor) actor(ctx context.Context) string { return cmp.Or(history.ActorOf(ctx), g.o.By) }

// Note adds to the project's history what changes neither the pace nor the halts.
func (g *Governor) Note(ctx context.Context, what, detail string) error {
	if err := g.shared.note(ctx, what, g.actor(ctx), detail); err != nil {
		return fmt.Errorf("record in the history of the project: %w", err)
	}
	return nil
}

// History returns who halted and resumed the project and who set its quota, the newest last: at
// most the last 200 entries.
func (g *Governor) History(ctx context.Context) ([]notification.HistoryEntry, error) {
	found, err := g.shared.entries(ctx, g.shared.history)
	if err != nil {
		return nil, fmt.Errorf("read history of the project: %w", err)
	}
	return history.Parse(found), nil
}

func (s server) entries(ctx context.Context, stream string) ([]redis.XMessage, error) {
	return s.rdb.XRange(ctx, stream, "-", "+").Result()
}
