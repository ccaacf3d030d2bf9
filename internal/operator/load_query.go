package operator

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strings"

	"fanfare/internal/audience"
	"fanfare/internal/campaign"
	"fanfare/internal/store"
)

// Queries reads the application's database. *store.Store implements it.
type Queries interface {
	OpenQuery(ctx context.Context, text, key string) (*store.Query, error)
}

// Query is an audience in SQL. Its rows are read in the order of Key, a column without NULL and
// without equal values.
type Query struct{ SQL, Key string }

// LoadQuery loads the rows of a query. It is a load like that of a file, and returns the same
// errors. It also returns ErrNoDatabase, a *store.QueryError, and an *audience.KeyError. An
// interrupted one continues behind the last row that was loaded, whatever has changed meanwhile.
func (o *Operator) LoadQuery(ctx context.Context, id string, q Query, opts LoadOptions) (LoadSummary, error) {
	if o.deps.Queries == nil {
		return LoadSummary{}, ErrNoDatabase
	}
	reading, stop := context.WithCancel(ctx)
	defer stop()
	opened, err := o.deps.Queries.OpenQuery(reading, q.SQL, q.Key)
	if err != nil {
		return LoadSummary{}, err
	}
	rows, err := audience.OpenQuery(reading, opened, audience.Options{MaxElement: opts.MaxElement})
	if err != nil {
		return LoadSummary{}, err
	}
	opts.source = &queryRows{name: q.sourceName(opts), rows: rows}
	return o.LoadAudience(ctx, id, rows, opts)
}

// sourceName tells a load from others of which it is no continuation. The query may hold what Redis
// should not, so only its hash is stored.
func (q Query) sourceName(opts LoadOptions) string {
	sum := sha256.Sum256([]byte(strings.TrimSpace(q.SQL)))
	name := url.Values{"query": {hex.EncodeToString(sum[:])}, "key": {q.Key}}
	if opts.Where != nil {
		name.Set("where", opts.Where.String())
	}
	return name.Encode()
}

// queryRows is a query as a source that knows its place.
type queryRows struct {
	name string
	rows *audience.QueryReader
}

func (r *queryRows) begin(l *campaign.Loader) {
	if position, resumed := l.Resume(r.name); resumed {
		r.rows.Begin(position)
	}
}

func (r *queryRows) mark(l *campaign.Loader, _ [][]byte, place audience.Place) {
	l.Mark(r.name, place.Position)
}
