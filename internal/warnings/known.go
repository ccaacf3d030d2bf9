package warnings

import (
	"log/slog"
	"slices"
	"sync"
	"time"
)

// known are the warnings that have not ended.
type known struct {
	mu    sync.Mutex
	byKey map[string]*warning
}

// warning is one warning and its repeats.
type warning struct {
	Level                     slog.Level
	Message, Detail, Campaign string

	first, last, written time.Time
	count                int64
	log                  slog.Handler
	timer                *time.Timer
}

// note counts a warning. It returns the warning with its count if it should be written.
func (k *known) note(key string, w warning) *warning {
	k.mu.Lock()
	defer k.mu.Unlock()
	old := k.byKey[key]
	if old == nil {
		if first := w; len(k.byKey) < maxKnown {
			first.written = w.last
			first.timer = time.AfterFunc(quiet, func() { k.endIfQuiet(key) })
			k.byKey[key] = &first
		}
		return &w
	}
	old.last, old.Detail = w.last, w.Detail
	old.count++
	if w.last.Sub(old.written) < reminderInterval {
		return nil
	}
	old.written = w.last
	reminder := *old
	return &reminder
}

// endIfQuiet ends a warning that has not come for a while, and looks again later otherwise.
func (k *known) endIfQuiet(key string) {
	k.mu.Lock()
	w := k.byKey[key]
	if w == nil {
		k.mu.Unlock()
		return
	}
	if left := quiet - time.Since(w.last); left > 0 {
		w.timer.Reset(left)
		k.mu.Unlock()
		return
	}
	delete(k.byKey, key)
	k.mu.Unlock()
	w.write("warning repeated; it has ended")
}

// takeAll removes all warnings.
func (k *known) takeAll() []*warning {
	k.mu.Lock()
	defer k.mu.Unlock()
	var all []*warning
	for _, w := range k.byKey {
		w.timer.Stop()
		all = append(all, w)
	}
	clear(k.byKey)
	return all
}

// write writes how often a warning came. One that came once needs no such line.
func (w *warning) write(message string) {
	if w.count < 2 {
		return
	}
	attrs := []any{"warning", w.Message, "times", w.count, "lasted", w.last.Sub(w.first)}
	if w.Campaign != "" {
		attrs = append(attrs, campaignKey, w.Campaign)
	}
	slog.New(w.log).Info(message, attrs...)
}

// list returns what fails at the moment, the oldest first.
func (k *known) list() []Current {
	k.mu.Lock()
	defer k.mu.Unlock()
	all := make([]Current, 0, len(k.byKey))
	for _, w := range k.byKey {
		if w.count > 1 || w.Level > slog.LevelWarn {
			all = append(all, Current{Message: w.Message, Detail: w.Detail, Campaign: w.Campaign, Since: w.first, LastAt: w.last, Count: w.count})
		}
	}
	slices.SortFunc(all, func(a, b Current) int { return a.Since.Compare(b.Since) })
	return all
}
