package campaign

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
)

// resumedLoad continues an interrupted load. It skips what that load has pushed, and compares
// checksums. Only if they are equal does it take the load over.
type resumedLoad struct {
	l      *Loader
	load   string   // the interrupted one
	until  progress // its progress
	passed progress // how far this load has skipped
	taken  bool
	placed bool // the caller begins behind what was pushed
	cut    int  // skipped elements of the current batch
}

// OtherBeginningError is an ErrAudienceExists of a campaign with an interrupted load, whose first
// recipients are others than those of the audience to load.
type OtherBeginningError struct {
	Rows int64 // that the interrupted load has pushed
}

func (e *OtherBeginningError) Error() string {
	return fmt.Sprintf("an interrupted load has pushed %d recipients of an audience that begins differently", e.Rows)
}

func (e *OtherBeginningError) Unwrap() error { return ErrAudienceExists }

func (l *Loader) otherBeginning() error {
	e := &OtherBeginningError{}
	for _, p := range l.interrupted {
		e.Rows = max(e.Rows, p.rows)
	}
	return e
}

// CountPushed returns how many recipients of the audience are in the list already, as far as that
// is known. While an interrupted load is continued, they are more than were skipped so far.
func (l *Loader) CountPushed() int64 {
	if l.resumed == nil {
		return l.done.rows
	}
	return max(l.done.rows, l.resumed.until.rows)
}

// skipLoaded returns the part of a batch that must be pushed.
func (r *resumedLoad) skipLoaded(ctx context.Context, batch [][]byte) ([][]byte, error) {
	for !r.taken {
		rest := batch[r.cut:]
		n := min(int64(len(rest)), r.until.rows-r.passed.rows)
		r.passed = r.passed.plus(rest[:n])
		r.cut += int(n)
		if r.passed.rows < r.until.rows {
			r.cut = 0
			return nil, nil
		}
		if r.passed.total != r.until.total {
			return nil, ErrOtherAudience
		}
		if err := r.takeOver(ctx); err != nil {
			return nil, err
		}
	}
	rest := batch[r.cut:]
	if len(rest) == 0 {
		r.cut = 0
	}
	return rest, nil
}

// takeOver assigns the interrupted load to this loader. If that load has come further meanwhile,
// more must be skipped first.
func (r *resumedLoad) takeOver(ctx context.Context) error {
	l := r.l
	reply := decode(takeLoadScript.Run(ctx, l.c.rdb, l.keys.scriptKeys(), r.load, l.load, r.until.text(), loadPatience.Milliseconds(), loadLease.Milliseconds(), loadOwner(), l.source))
	switch {
	case reply.err == nil && reply.word == "gone":
		return ErrDeleted
	case reply.err == nil && reply.word == "changed" && r.placed:
		return ErrAudienceExists // it still runs
	case reply.err == nil && reply.word == "changed" && len(reply.details) > 0:
		var ok bool
		if r.until, ok = parseProgress(reply.details[0]); !ok || r.until.rows < r.passed.rows {
			return errors.New("take over an interrupted load: its progress cannot be read")
		}
		return nil
	}
	if err := l.check("take over an interrupted load", reply); err != nil {
		return err
	}
	r.taken = true
	l.done = r.until
	if err := l.c.rdb.Unlink(ctx, l.keys.list.Load(r.load)).Err(); err != nil {
		return fmt.Errorf("forget batches: %w", err)
	}
	return nil
}

// progressNote is the prefix of a field of counts that holds the progress of a load. The field is
// removed when the load is done.
const progressNote = "progress:"

// progress is how far a load has come. Its checksums identify a load of the same file, which can
// continue it.
type progress struct {
	rows            int64 // pushed so far
	firstRows       int   // in its first batch
	firstSum, total uint32
	// place is how far a source was read that knows its place: "<source> <position>", both escaped.
	// It is empty for a file.
	place string
}

var sums = crc32.MakeTable(crc32.Castagnoli) // computed by hardware

// sumOf extends a checksum with more recipients.
func sumOf(sum uint32, elements [][]byte) uint32 {
	for _, element := range elements {
		sum = crc32.Update(sum, sums, element)
		sum = crc32.Update(sum, sums, []byte{'\n'})
	}
	return sum
}

// plus returns the progress after another batch.
func (p progress) plus(elements [][]byte) progress {
	p.total = sumOf(p.total, elements)
	if p.rows == 0 {
		p.firstRows, p.firstSum = len(elements), p.total
	}
	p.rows += int64(len(elements))
	return p
}

// startsWith reports whether the load began with this batch.
func (p progress) startsWith(batch [][]byte) bool {
	return p.rows > 0 && p.firstRows == len(batch) && p.firstSum == sumOf(0, batch)
}

// text encodes the progress for counts. The scripts read the number of rows at its beginning.
func (p progress) text() string {
	return strings.TrimSpace(fmt.Sprintf("%d %d %x %x %s", p.rows, p.firstRows, p.firstSum, p.total, p.place))
}

func parseProgress(text string) (p progress, ok bool) {
	n, err := fmt.Sscanf(text, "%d %d %x %x", &p.rows, &p.firstRows, &p.firstSum, &p.total)
	if words := strings.SplitN(text, " ", 5); len(words) == 5 {
		p.place = words[4]
	}
	return p, n == 4 && err == nil
}

// parseLoads returns the unfinished loads from the fields of counts.
func parseLoads(notes map[string]string) map[string]progress {
	all := make(map[string]progress)
	for field, value := range notes {
		load, found := strings.CutPrefix(field, progressNote)
		if p, ok := parseProgress(value); found && ok {
			all[load] = p
		}
	}
	return all
}
