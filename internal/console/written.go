package console

import (
	"context"
	"sync"
	"time"

	"fanfare/internal/notification"
	"fanfare/internal/operator"
	"fanfare/internal/redact"
	"fanfare/internal/store"
)

const (
	// sqlTimeout is the longest that a page waits for one answer of SQL, as a command does.
	sqlTimeout = 2 * time.Second
	// sqlTimeoutAway is the same while SQL does not answer, so that live pages stay live.
	sqlTimeoutAway = 200 * time.Millisecond
	// sqlPatience is how often SQL is given the longer time while it does not answer.
	sqlPatience = 10 * time.Second
)

// sqlWatch remembers whether SQL answers.
type sqlWatch struct {
	mu      sync.Mutex
	isAway  bool
	askedAt time.Time // when it was last given the longer time
}

// limit returns how long the next question to SQL alone may take; note tells how it went.
func (w *sqlWatch) limit(now time.Time) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.isAway && now.Sub(w.askedAt) < sqlPatience {
		return sqlTimeoutAway
	}
	w.askedAt = now
	return sqlTimeout
}

// limitShared is the limit of a question that Redis may answer, too. How that goes says nothing of
// SQL.
func (w *sqlWatch) limitShared() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.isAway {
		return sqlTimeoutAway
	}
	return sqlTimeout
}

func (w *sqlWatch) note(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.isAway = err != nil
}

// askSQL asks SQL. A database that hangs delays a page by the limit at most.
func (c *Console) askSQL(ctx context.Context, ask func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, c.sql.limit(c.now()))
	defer cancel()
	err := ask(limited)
	if ctx.Err() == nil { // a reader who leaves says nothing of SQL
		c.sql.note(err)
	}
	return err
}

// askShared asks Redis or SQL, within the same limit.
func (c *Console) askShared(ctx context.Context, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, c.sql.limitShared())
	defer cancel()
	return ask(ctx)
}

// written is what SQL has of a campaign's outcomes.
type written struct {
	Sent    int64  // accepted pushes
	Waiting int64  // outcomes of any kind that are on their way
	Problem string // why both are unknown; "" if they are known
}

// writtenOf returns what SQL has; nil without SQL.
func (c *Console) writtenOf(ctx context.Context, each *Campaign) *written {
	if c.deps.Records == nil {
		return nil
	}
	var sums store.Summary
	err := c.askSQL(ctx, func(ctx context.Context) (err error) {
		sums, err = c.deps.Records.Summary(ctx, each.Spec.ID)
		return err
	})
	if err != nil {
		return &written{Problem: redact.Text(err.Error())}
	}
	return &written{
		Sent:    min(each.Books.Sent, sums.Counts[notification.StatusSent]), // more may have ended since the books were read
		Waiting: max(0, each.Books.CountEnded()-sums.Total()),
	}
}

// reason says why outcomes are not in SQL; nil if all are, or if nothing stops them.
func (w *written) reason(s *Snapshot) *operator.Reason {
	switch {
	case w == nil || w.Problem == "" && w.Waiting == 0:
		return nil
	case s.Unwritten != nil:
		return s.Unwritten
	case w.Problem == "":
		return nil
	}
	return &operator.Reason{
		Kind: operator.ReasonSQLWrites, Headline: "SQL does not answer", Detail: "how many outcomes it has is unknown: " + w.Problem,
		EndsByItself: true, Next: "check the database: fanfare check",
	}
}
