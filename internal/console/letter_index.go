package console

import (
	"context"
	"errors"
	"iter"
	"maps"
	"strings"
	"sync"
	"time"

	"fanfare/internal/notification"
	"fanfare/internal/responses"
)

// wholeAge is how long only changes are read. A removal that a crash has cut in half does not
// change the list's length, so all letters are read now and then.
const wholeAge = time.Minute

// lettersAge is how long the index serves every viewer before it is compared with the list.
const lettersAge = 10 * time.Second

// letterIndex knows all letters by what pages show and search: reading 100,000 of them takes half a
// second, and searching the index some milliseconds. It takes about 20 MB for as many.
type letterIndex struct {
	mu      sync.Mutex
	at      time.Time
	whole   time.Time       // when all letters were read
	gaps    bool            // the list has places without a letter, so its length says too little
	all     []indexedLetter // the newest first
	dropped int64           // older ones, by the bounds
	words   map[string]string
	detail  map[string]detailRead // by id
}

// indexedLetter is what the index keeps of a letter.
type indexedLetter struct {
	id, user, campaign, code, reason string
	kind                             responses.Kind
	at                               time.Time
	tries                            int
}

// letter returns a letter that filters match as they match the whole one. It has no raw element,
// and is always of a recipient.
func (i *indexedLetter) letter() responses.DeadLetter {
	return responses.DeadLetter{
		ID: i.id, Kind: responses.KindRecipient, Reason: i.reason, At: i.at,
		Result: notification.Result{UserID: i.user, CampaignID: i.campaign, ErrorCode: i.code, Attempts: i.tries},
	}
}

// causeSum is all letters of one code.
type causeSum struct {
	n           int64
	campaigns   map[string]int64
	last, first time.Time
}

// allLetters are the letters together.
type allLetters struct {
	total, dropped int64
	at             time.Time // when they were read
}

// sums counts the letters by code.
func (x *letterIndex) sums(ctx context.Context, letters Letters, now time.Time) (map[string]*causeSum, allLetters, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.refresh(ctx, letters, now); err != nil {
		return nil, allLetters{}, err
	}
	sums := make(map[string]*causeSum)
	for i := range x.all {
		l := &x.all[i]
		sum := sums[l.code]
		if sum == nil {
			sum = &causeSum{campaigns: make(map[string]int64), last: l.at}
			sums[l.code] = sum
		}
		sum.n++
		sum.first = l.at
		sum.campaigns[l.campaign]++
	}
	return sums, allLetters{int64(len(x.all)), x.dropped, x.at}, nil
}

// find returns the newest letters of a filter, at most lettersShown, and how many there are.
func (x *letterIndex) find(ctx context.Context, letters Letters, f responses.Filter, now time.Time) ([]responses.DeadLetter, int64, error) {
	part, err := x.part(ctx, letters, f, "", now)
	return part.Letters, part.All, err
}

// count counts the letters of a filter, by campaign, and those that may have been delivered.
func (x *letterIndex) count(ctx context.Context, letters Letters, f responses.Filter, now time.Time) (letterCounts, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	found := letterCounts{campaigns: make(map[string]int64)}
	if err := x.refresh(ctx, letters, now); err != nil {
		return found, err
	}
	for i := range x.all {
		l := x.all[i].letter()
		if !f.Matches(&l) {
			continue
		}
		found.all++
		found.campaigns[l.Result.CampaignID]++
		if maybeSentCodes[l.Result.ErrorCode] {
			found.maybeSent++
		}
	}
	return found, nil
}

// matching returns the letters of a filter, as far as a replay looks at them: without raw elements.
func (x *letterIndex) matching(ctx context.Context, letters Letters, f responses.Filter, now time.Time) (iter.Seq[responses.DeadLetter], error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.refresh(ctx, letters, now); err != nil {
		return nil, err
	}
	all := x.all // which is replaced, and never changed
	return func(yield func(responses.DeadLetter) bool) {
		for i := range all {
			l := all[i].letter()
			if !f.Matches(&l) {
				continue
			}
			l.Kind = all[i].kind
			if !yield(l) {
				return
			}
		}
	}, nil
}

// refresh reads what has changed since the last time. Letters that came since then are added, and
// the oldest that were dropped are left out. If that does not explain the list's length, others
// were removed, and all are read again.
func (x *letterIndex) refresh(ctx context.Context, letters Letters, now time.Time) error {
	if x.all != nil && now.Sub(x.at) < lettersAge {
		return nil
	}
	length, err := letters.Len(ctx)
	if err != nil {
		return err
	}
	dropped, err := letters.Dropped(ctx)
	if err != nil {
		return err
	}
	current, ok, err := x.readChanges(ctx, letters, length, now)
	if err == nil && !ok {
		x.words = make(map[string]string)
		current, _, err = x.readUntil(ctx, letters, "", make([]indexedLetter, 0, length))
		x.whole, x.gaps = now, int64(len(current)) < length
	}
	if err != nil {
		return err
	}
	x.all, x.dropped, x.at = current, dropped, now
	return nil
}

// readChanges returns the letters with those that came since the last time. ok is false if all have
// to be read.
func (x *letterIndex) readChanges(ctx context.Context, letters Letters, length int64, now time.Time) (all []indexedLetter, ok bool, err error) {
	if len(x.all) == 0 || x.gaps || now.Sub(x.whole) >= wholeAge {
		return nil, false, nil
	}
	fresh, found, err := x.readUntil(ctx, letters, x.all[0].id, make([]indexedLetter, 0, 64))
	if err != nil || !found {
		return nil, false, err
	}
	return x.complete(ctx, letters, append(fresh, x.all...), length)
}

// complete leaves out the oldest letters that the list has dropped. ok is false if others are gone,
// too: then the list has fewer letters, or another oldest one.
func (x *letterIndex) complete(ctx context.Context, letters Letters, all []indexedLetter, length int64) (kept []indexedLetter, ok bool, err error) {
	if length == 0 || int64(len(all)) < length {
		return nil, false, nil
	}
	for oldest, err := range letters.List(ctx, responses.Filter{}) {
		return all[:length], err == nil && oldest.ID == all[length-1].id, err
	}
	return nil, false, nil
}

// readUntil reads the letters that are newer than one, or all. found reports whether that one is in
// the list.
func (x *letterIndex) readUntil(ctx context.Context, letters Letters, last string, into []indexedLetter) (all []indexedLetter, found bool, err error) {
	for l, err := range letters.List(ctx, responses.Filter{Newest: true}) {
		if err != nil {
			return nil, false, err
		}
		if last != "" && l.ID == last {
			return into, true, nil
		}
		into = append(into, indexedLetter{
			id: l.ID, user: l.Result.UserID, campaign: x.once(l.Result.CampaignID), code: x.once(l.Code()), reason: x.once(l.Reason),
			kind: responses.Kind(x.once(string(l.Kind))), at: l.At, tries: l.Result.Attempts,
		})
	}
	return into, false, nil
}

// maxWords limits the texts that are kept once.
const maxWords = 10_000

// once returns a text that equal ones share. Thousands of letters have the same code and reason.
func (x *letterIndex) once(text string) string {
	if known, ok := x.words[text]; ok {
		return known
	}
	text = strings.Clone(text)
	if len(x.words) < maxWords {
		x.words[text] = text
	}
	return text
}

// forget makes the next page read the list again.
func (x *letterIndex) forget() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.at, x.detail = time.Time{}, nil
}

// get returns a whole letter, nil if it is gone. It is looked up once for all viewers.
func (x *letterIndex) get(ctx context.Context, letters Letters, id string, now time.Time) (*responses.DeadLetter, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	maps.DeleteFunc(x.detail, func(_ string, d detailRead) bool { return now.Sub(d.at) >= lettersAge })
	if d, ok := x.detail[id]; ok {
		return d.letter, nil
	}
	found, err := letters.Get(ctx, id)
	read := detailRead{at: now, letter: &found}
	if errors.Is(err, responses.ErrNoDeadLetter) {
		read.letter = nil
	} else if err != nil {
		return nil, err
	}
	if x.detail == nil {
		x.detail = make(map[string]detailRead)
	}
	x.detail[id] = read
	return read.letter, nil
}
