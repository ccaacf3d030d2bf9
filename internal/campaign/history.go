package campaign

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/history"
	"fanfare/internal/notification"
	"fanfare/internal/redisx"
)

// keepHistory is how long the history of a campaign without a spec is kept: history_ms in
// prelude.lua.
const keepHistory = 7 * 24 * time.Hour

// What a history says of the things that Note adds.
const (
	NoteHeld     = "held"     // a breaker stopped the campaign or one of its platforms
	NoteReleased = "released" // the hold has ended
	NoteReplayed = "replayed" // dead letters
	NoteExported = "exported" // outcomes
	NotePurged   = "purged"   // dead letters
	// NoteLettersExported is about dead letters, too: "saved 3 dead letters".
	NoteLettersExported = "saved"
	NoteTested          = "test sent"
	NoteRefused         = "start refused" // a scheduled one, when it was due; see refuse.lua
)

// actor returns who acts.
func (c *Campaigns) actor(ctx context.Context) string { return cmp.Or(history.ActorOf(ctx), c.o.Actor) }

// Actor is who acts without history.WithActor.
func (c *Campaigns) Actor() string { return c.o.Actor }

// Note adds an entry about something that does not change the spec. The actor and the clock are
// those of every change. ref identifies the event, so that a repeated call adds nothing.
func (c *Campaigns) Note(ctx context.Context, id, ref string, e notification.HistoryEntry) error {
	return wrap("note history of", id, c.note(ctx, id, ref, e))
}

func (c *Campaigns) note(ctx context.Context, id, ref string, e notification.HistoryEntry) error {
	k, err := c.keys(id)
	if err != nil {
		return err
	}
	n := ""
	if e.N > 0 {
		n = strconv.FormatInt(e.N, 10)
	}
	word, _, err := c.run(ctx, noteScript, k.scriptKeys(), e.What, c.actor(ctx), e.Detail, n, ref)
	if err != nil || word != "bare" {
		return err
	}
	return c.rememberHistory(ctx, id)
}

// rememberHistory notes that a campaign without a spec has a history, so that VisitNewHistory finds
// it.
func (c *Campaigns) rememberHistory(ctx context.Context, id string) error {
	err := rememberScript.Run(ctx, c.rdb, []string{c.names.Histories()}, id, keepHistory.Milliseconds()).Err()
	if err != nil {
		return fmt.Errorf("remember history: %w", redisx.AsTypeError(err))
	}
	return nil
}

// History returns what happened to a campaign, the newest last: at most the last 200 entries. A
// deleted campaign has a history for a week. A campaign without one is no error.
func (c *Campaigns) History(ctx context.Context, id string) ([]notification.HistoryEntry, error) {
	k, err := c.keys(id)
	if err != nil {
		return nil, wrap("read history of", id, err)
	}
	found, err := c.rdb.XRange(ctx, k.history, "-", "+").Result()
	if err != nil {
		return nil, wrap("read history of", id, c.typeError(ctx, err, k.history, "stream"))
	}
	return parseHistory(found), nil
}

// VisitNewHistory calls visit with the entries of each campaign that are newer than the entry in
// after, by campaign. It stops at the first error. A key of another type is left out.
func (c *Campaigns) VisitNewHistory(ctx context.Context, after map[string]string, visit func(id string, entries []notification.HistoryEntry) error) error {
	ids, err := c.listRegistered(ctx)
	if err != nil {
		return fmt.Errorf("read histories: %w", err)
	}
	gone, err := c.rdb.ZRange(ctx, c.names.Histories(), 0, -1).Result()
	if err != nil {
		return fmt.Errorf("read histories: %w", c.typeError(ctx, err, c.names.Histories(), "zset"))
	}
	ids = append(ids, gone...)
	slices.Sort(ids)
	for some := range slices.Chunk(slices.Compact(ids), headsAtOnce) {
		if err := c.visitHistories(ctx, some, after, visit); err != nil {
			return fmt.Errorf("read histories: %w", err)
		}
	}
	return nil
}

func (c *Campaigns) visitHistories(ctx context.Context, ids []string, after map[string]string, visit func(string, []notification.HistoryEntry) error) error {
	pipe := c.rdb.Pipeline()
	replies := make([]*redis.XMessageSliceCmd, len(ids))
	for i, id := range ids {
		k, err := c.keys(id)
		if err != nil {
			continue
		}
		replies[i] = pipe.XRange(ctx, k.history, followingID(after[id]), "+")
	}
	_, _ = pipe.Exec(ctx) // the error of each command is checked below
	for i, reply := range replies {
		switch {
		case reply == nil || redis.HasErrorPrefix(reply.Err(), "WRONGTYPE"):
			continue
		case reply.Err() != nil:
			return reply.Err()
		case len(reply.Val()) == 0:
			continue
		}
		if err := visit(ids[i], parseHistory(reply.Val())); err != nil {
			return err
		}
	}
	return nil
}

// followingID returns the first id after that of an entry: ms-seq. "" is before all.
func followingID(id string) string {
	ms, seq, _ := strings.Cut(id, "-")
	n, err := strconv.ParseUint(seq, 10, 64)
	if err != nil {
		return "-"
	}
	return fmt.Sprintf("%s-%d", ms, n+1)
}

func parseHistory(found []redis.XMessage) []notification.HistoryEntry {
	all := history.Parse(found)
	for i, message := range found {
		if changes := history.Text(message, "changes"); changes != "" {
			all[i].Detail = describeChanges(changes)
		}
	}
	return all
}

// describeChanges formats what change.lua recorded: fields, each with its old and its new value.
func describeChanges(text string) string {
	var changes [][3]string
	if json.Unmarshal([]byte(text), &changes) != nil {
		return text // it was cut
	}
	described := make([]string, len(changes))
	for i, c := range changes {
		described[i] = fmt.Sprintf("%s %s → %s", c[0], describeValue(c[0], c[1]), describeValue(c[0], c[2]))
	}
	return strings.Join(described, ", ")
}

// describeValue formats the value of a field of the spec.
func describeValue(field, value string) string {
	switch {
	case value == "":
		return "none"
	case field == fieldMessage:
		return "edition " + value
	case field == fieldDeadline || field == fieldStartAt:
		if at := parseTime(value); !at.IsZero() {
			return at.Format(time.RFC3339)
		}
	}
	return value
}
