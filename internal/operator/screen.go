package operator

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"

	"fanfare/internal/audience"
	"fanfare/internal/profiles"
	"fanfare/internal/where"
)

// LeftOut counts the recipients that a load left out, by reason.
type LeftOut struct {
	Filtered int64 `json:"filtered,omitempty"` // they do not fit the condition
	// Of outcomes of another campaign: users who are suppressed, and those without
	// room under the caps.
	Suppressed int64 `json:"suppressed,omitempty"`
	Capped     int64 `json:"capped,omitempty"`
}

// CountLeftOut is how many they are.
func (l LeftOut) CountLeftOut() int64 { return l.Filtered + l.Suppressed + l.Capped }

// sieves are what leaves recipients out of a load.
func (o *Operator) sieves(ctx context.Context, id string, opts LoadOptions) (all []sieve) {
	if _, followUp := opts.source.(*outcomeUsers); followUp {
		all = o.followUpSieves(ctx, id, opts)
	}
	if opts.Where != nil {
		all = append(all, o.whereSieve(ctx, opts.Where, opts))
	}
	return all
}

// hints name what is probably misspelled.
func (o LoadOptions) hints() []string {
	if o.Where == nil || len(o.Where.Unseen()) == 0 {
		return nil
	}
	return []string{o.conditionName() + ": no recipient has " + strings.Join(o.Where.Unseen(), ", ") + "; what is missing counts as nil"}
}

// conditionName says in texts where the condition comes from.
func (o LoadOptions) conditionName() string {
	if o.Of.IsZero() {
		return "--where"
	}
	return "where of the source"
}

// AllLeftOutError refuses an audience of which no one is left.
type AllLeftOutError struct{ LeftOut LeftOut }

func (e *AllLeftOutError) Error() string {
	return "no recipient is left: " + e.LeftOut.String() + "; nothing was loaded"
}

// String says how many were left out, and why.
func (l LeftOut) String() string {
	var all []string
	for _, reason := range []struct {
		n    int64
		text string
	}{{l.Filtered, "do not match the condition"}, {l.Suppressed, "suppressed"}, {l.Capped, "capped"}} {
		if reason.n > 0 {
			all = append(all, Thousands(reason.n)+" "+reason.text)
		}
	}
	return strings.Join(all, ", ")
}

// screen is an audience without the recipients that a load leaves out. It reads ahead, so that
// look-ups are made for many users at once.
type screen struct {
	rows   audience.Reader
	sieves []sieve
	block  []screened
	pos    int // in the block
	at     int // the line of the last element
	place  audience.Place

	mu   sync.Mutex
	left LeftOut
}

// screened is a row of a block.
type screened struct {
	element []byte
	id      string // of the user, once it was asked for
	file    string // its name, if several are read
	line    int
	place   audience.Place
	err     error // of the row, or of the audience
	out     bool  // it is left out
}

// sieve leaves recipients out of a block. It gets the rows that are still in. Its error ends the
// load.
type sieve func(rows []*screened) (count func(*LeftOut, int64), err error)

// newScreen returns the audience itself if nothing is left out of it.
func newScreen(rows audience.Reader, sieves []sieve) (audience.Reader, *screen) {
	s := &screen{rows: rows, sieves: sieves}
	if len(sieves) == 0 {
		return rows, s
	}
	return s, s
}

// count returns how many were left out so far.
func (s *screen) count() LeftOut {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.left
}

func (s *screen) Line() int { return s.at }

func (s *screen) Hints() []string { return s.rows.Hints() }

func (s *screen) Next(dst []byte) ([]byte, error) {
	for {
		if s.pos == len(s.block) {
			if err := s.fill(); err != nil {
				return dst, err
			}
		}
		row := s.block[s.pos]
		if row.err != nil {
			if _, isRow := errors.AsType[audience.RowError](row.err); isRow {
				s.pos++ // any other error stays
			}
			return dst, row.err
		}
		s.pos++
		if !row.out {
			s.at, s.place = row.line, row.place
			return append(dst, row.element...), nil
		}
	}
}

// Place implements audience.Placed.
func (s *screen) Place() audience.Place { return s.place }

// placeOf returns the place of the last element; nothing for a file.
func placeOf(rows audience.Reader) audience.Place {
	if placed, ok := rows.(audience.Placed); ok {
		return placed.Place()
	}
	return audience.Place{}
}

// file is the name of the file that is read, if there are several.
func (s *screen) file() string {
	if files, ok := s.rows.(interface{ File() string }); ok {
		return files.File()
	}
	return ""
}

// fill reads the next block, up to the end of the audience or the first error of it.
func (s *screen) fill() error {
	s.block, s.pos = s.block[:0], 0
	for size := 0; len(s.block) < batchRows && size < batchBytes; {
		element, err := s.rows.Next(nil)
		size += len(element)
		s.block = append(s.block, screened{element: element, file: s.file(), line: s.rows.Line(), place: placeOf(s.rows), err: err})
		if _, isRow := errors.AsType[audience.RowError](err); err != nil && !isRow {
			break
		}
	}
	for _, sift := range s.sieves {
		var in []*screened
		for i := range s.block {
			if row := &s.block[i]; row.err == nil && !row.out {
				in = append(in, row)
			}
		}
		if len(in) == 0 {
			break
		}
		count, err := sift(in)
		if err != nil {
			return err
		}
		s.add(count, in)
	}
	return nil
}

func (s *screen) add(count func(*LeftOut, int64), in []*screened) {
	var n int64
	for _, row := range in {
		if row.out {
			n++
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	count(&s.left, n)
}

// whereSieve leaves out those that do not fit a condition.
func (o *Operator) whereSieve(ctx context.Context, f *where.Filter, opts LoadOptions) sieve {
	return func(rows []*screened) (func(*LeftOut, int64), error) {
		var known map[string]profiles.Profile
		if f.NeedsProfile() {
			err := patiently(ctx, opts.Patience, func() (err error) {
				known, err = o.deps.Profiles.Peek(ctx, usersOf(rows))
				return err
			})
			if err != nil {
				return nil, err
			}
		}
		for _, row := range rows {
			var profile profiles.Profile
			if known != nil {
				profile = known[row.user()]
			}
			matches, err := f.Match(row.element, profile)
			if err != nil {
				row.err = audience.RowError{File: row.file, Line: row.line, Key: row.place.Name, Problem: opts.conditionName() + ": " + err.Error()}
			}
			row.out = !matches && err == nil
		}
		return func(l *LeftOut, n int64) { l.Filtered += n }, nil
	}
}

// user is the id of the row's user.
func (r *screened) user() string {
	if r.id != "" {
		return r.id
	}
	var member struct {
		UserID json.RawMessage `json:"userId"`
	}
	_ = json.Unmarshal(r.element, &member) // it was decoded before
	if json.Unmarshal(member.UserID, &r.id) != nil {
		r.id = string(member.UserID)
	}
	return r.id
}

func usersOf(rows []*screened) []string {
	users := make([]string, len(rows))
	for i, row := range rows {
		users[i] = row.user()
	}
	return users
}
