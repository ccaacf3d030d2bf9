package cuts

import (
	"errors"
	"slices"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/queue"
)

// keeper is a call about a campaign, and what it is about.
type keeper struct {
	script  string
	prepare func(r *room)
	call    func(r *room) error
}

var keepers = map[string]keeper{
	"adopt an application's": {"campaign/adopt", func(r *room) {
		r.push(3*time.Hour, "a", "b")
		r.write(spec, time.Hour, "message", "{}", "state", "running")
	}, (*room).adopt},
	"adopt a late audience": {"campaign/adopt", func(r *room) {
		r.create(campaign.Completed)
		r.push(3*time.Hour, "a", "b")
	}, (*room).adopt},
	"adopt a paused one": {"campaign/adopt", func(r *room) {
		r.create(campaign.Paused)
		r.must(r.rdb.Expire(r.t.Context(), spec, time.Hour).Err())
	}, (*room).adopt},
	"register": {"campaign/register", func(r *room) {
		r.create()
		r.must(r.rdb.Del(r.t.Context(), keys.Default().Registry()).Err())
	}, (*room).adopt},
	"guard a list alone": {"campaign/guard", func(r *room) { r.push(3*time.Hour, "a", "b") }, (*room).guard},
	"guard a campaign's": {"campaign/guard", func(r *room) { r.create(); r.push(3*time.Hour, "a", "b") }, (*room).guard},
	"guard after a loss": {"campaign/guard", func(r *room) {
		r.create()
		r.push(3*time.Hour, "a", "b")
		r.must(r.sound.Guard(r.t.Context(), "42"))
		r.must(r.rdb.Del(r.t.Context(), counts).Err())
	}, (*room).guard},
	"guard what was left": {"campaign/guard", func(r *room) { r.push(queue.GuardTTL+3*time.Hour, "a", "b") }, (*room).guard},
	"begin a load":        {"campaign/begin_load", func(r *room) { r.load(false) }, (*room).bring},
	"begin after others": {"campaign/begin_load", func(r *room) {
		r.write(counts, 0, "load:old", 1, "append:old", "0 0 0 1 old")
		r.load(true)
	}, (*room).bring},
	"begin to append":      {"campaign/begin_load", func(r *room) { r.create(); r.push(0, "x"); r.load(true) }, (*room).bring},
	"append the first":     {appendPushed, func(r *room) { r.load(false) }, (*room).bring},
	"append to a guarded":  {appendPushed, func(r *room) { r.create(); r.load(false, "a", "b") }, (*room).bring},
	"append to producer's": {appendPushed, func(r *room) { r.push(3*time.Hour, "x"); r.load(true) }, (*room).bring},
	"append to adopted":    {appendPushed, func(r *room) { r.create(); r.push(3*time.Hour, "x"); r.must(r.guard()); r.load(true) }, (*room).bring},
	"note a batch":         {"campaign/loaded", func(r *room) { r.create(); r.load(false) }, (*room).bring},
	"note a batch again":   {"campaign/loaded", func(r *room) { r.load(false, "a", "b") }, (*room).bring},
	"note a late batch":    {"campaign/loaded", func(r *room) { r.create(campaign.Completed); r.load(true) }, (*room).bring},
	"close a load":         {"campaign/loaded", func(r *room) { r.create(); r.load(false, "a", "b") }, (*room).close},
	"abandon a load":       {"campaign/loaded", func(r *room) { r.create(); r.load(false, "a", "b") }, (*room).abandon},
	"renew a load":         {"campaign/renew_load", func(r *room) { r.create(); r.load(false, "a", "b") }, (*room).renew},
	"hold a load back":     {"campaign/renew_load", func(r *room) { r.create(); r.load(false, "a", "b") }, (*room).hold},
	"go on with a load":    {"campaign/take_load", func(r *room) { r.create(); r.interrupt(); r.load(false) }, (*room).bringAgain},
	"give up what is gone": {"campaign/waive", func(r *room) { r.create(); r.interrupt() }, (*room).waive},
	"give up two loads":    {"campaign/waive", func(r *room) { r.create(); r.interrupt(); r.load(true, "c") }, (*room).waive},
	"retain a cancelled":   {"campaign/retain", func(r *room) { r.create(); r.load(false, "a", "b"); r.claim() }, (*room).cancel},
	"note an end":          {"campaign/note_end", func(r *room) { r.create(); r.must(r.cancel()) }, (*room).noteEnd},
	"retain what others ended": {"campaign/retain", func(r *room) {
		r.write(spec, 0, "message", "{}", "state", "completed")
		r.must(r.rdb.SAdd(r.t.Context(), keys.Default().Registry(), "42").Err())
		r.write(counts, 0, "seen", 2, "claimed", 2, "ended:sent", 2)
	}, (*room).look},
	"complete":             {"campaign/complete", func(r *room) { r.create(); r.write(counts, 0, "seen", 2, "claimed", 2, "ended:sent", 2) }, (*room).complete},
	"complete with a loss": {"campaign/complete", func(r *room) { r.create(); r.write(counts, 0, "seen", 3, "claimed", 2, "ended:sent", 2) }, (*room).complete},
	"remove_spec":          {"campaign/remove_spec", func(r *room) { r.create(campaign.Paused); r.push(0, "a") }, (*room).remove},
	"forget":               {"campaign/forget", func(r *room) { r.bare(2) }, (*room).look},
	"forget what vanished": {"campaign/forget", func(r *room) { r.bare(3) }, (*room).look},
	"note an export":       {"campaign/note", func(r *room) { r.create() }, (*room).export},
	"note without a spec":  {"campaign/note", func(*room) {}, (*room).export},
	"refuse a start": {"campaign/refuse", func(r *room) {
		r.create()
		r.write(spec, 0, "state", "draft", "start_at", "1600000000000")
		r.interrupt()
	}, (*room).refuse},
	"know a project":        {"campaign/remember", func(r *room) { r.create() }, (*room).look},
	"create over a project": {"campaign/remember", func(r *room) { r.must(r.look()) }, (*room).look},
}

func (r *room) adopt() error      { _, err := r.cutting.Adopt(r.t.Context(), "42"); return err }
func (r *room) guard() error      { return r.cutting.Guard(r.t.Context(), "42") }
func (r *room) bring() error      { return r.loader.Append(r.t.Context(), batchOf("c", "d")) }
func (r *room) renew() error      { _, err := r.loader.Renew(r.t.Context(), 0); return err }
func (r *room) hold() error       { _, err := r.loader.Renew(r.t.Context(), 5); return err }
func (r *room) bringAgain() error { return r.loader.Append(r.t.Context(), batchOf("a", "b")) }
func (r *room) close() error      { return r.loader.Close(r.t.Context()) }
func (r *room) abandon() error    { return r.loader.Abandon(r.t.Context()) }
func (r *room) waive() error {
	return r.cutting.Waive(r.t.Context(), campaign.Spec{ID: "42", Source: campaign.Source{Files: []string{"/users.csv"}}}, 3)
}
func (r *room) remove() error { return r.cutting.Delete(r.t.Context(), "42") }
func (r *room) cancel() error { return r.cutting.Move(r.t.Context(), "42", campaign.Cancelled, "") }

// noteEnd notes the end of a cancelled campaign. It fails if the call is not the first: a call that
// was cut off has noted nothing, or finds its own note.
func (r *room) noteEnd() error {
	first, err := r.cutting.NoteEnd(r.t.Context(), "42")
	if err == nil && !first {
		return errors.New("another call was first")
	}
	return err
}

// refuse looks for campaigns, which has a start refused. It fails if the history does not say so.
func (r *room) refuse() error {
	r.must(r.look())
	entries, err := r.cutting.History(r.t.Context(), "42")
	if !slices.ContainsFunc(entries, func(e notification.HistoryEntry) bool { return e.What == campaign.NoteRefused }) {
		return errors.Join(err, errors.New("the refusal is not in the history"))
	}
	return err
}

func (r *room) export() error {
	return r.cutting.Note(r.t.Context(), "42", "1", notification.HistoryEntry{What: campaign.NoteExported, N: 5})
}
func (r *room) complete() error { _, _, err := r.cutting.Complete(r.t.Context(), "42"); return err }
func (r *room) look() error     { _, err := r.cutting.Discover(r.t.Context()); return err }

// bare is what is left of a campaign without a spec.
func (r *room) bare(seen int) {
	r.t.Helper()
	r.write(counts, 0, "seen", seen, "claimed", 2, "ended:sent", 2)
	r.must(r.rdb.SAdd(r.t.Context(), keys.Default().Registry(), "42").Err())
}

// claim has a recipient in a lease.
func (r *room) claim() {
	r.t.Helper()
	q, err := r.sound.Queue("42")
	r.must(err)
	_, err = q.Claim(r.t.Context(), queue.NewID(), 1)
	r.must(err)
}
