package tokens_test

import (
	"slices"
	"time"

	"fanfare/internal/notification"
	"fanfare/internal/tokens"
)

// restore restores what the filter matches and expects no error.
func (b *rig) restore(f tokens.Filter) tokens.RestoreResult {
	b.Helper()
	restored, err := b.store.Restore(b.Context(), f, tokens.RestoreOptions{})
	if err != nil {
		b.Error(err)
	}
	return restored
}

// removed returns the users with copies that the filter matches.
func (b *rig) removed(f tokens.Filter) []string {
	b.Helper()
	var users []string
	err := b.store.VisitRemoved(b.Context(), f, func(some []tokens.RemovedToken) error {
		for _, r := range some {
			users = append(users, r.User)
		}
		return nil
	})
	if err != nil {
		b.Error(err)
	}
	slices.Sort(users)
	return slices.Compact(users)
}

func (b *rig) expectRestored(what string, got, want tokens.RestoreResult) {
	b.Helper()
	if got != want {
		b.Errorf("%s: got %+v, want %+v", what, got, want)
	}
}

// restoreKnowsTheFirstCopy proves a token dead that only SQL holds by then. The second copy knows
// less of it than the first.
func restoreKnowsTheFirstCopy(b *rig) {
	b.sql.rows["u"] = "dead"
	if err := b.rdb.Set(b.Context(), b.names.Token("u"), "dead", time.Hour).Err(); err != nil {
		b.Fatal(err)
	}
	for _, want := range []bool{true, false} {
		if removed, _ := b.forget("u", "dead"); removed != want {
			b.Errorf("removed %v, want %v", removed, want)
		}
	}
	b.expectRestored("restore", b.restore(tokens.Filter{Users: []string{"u"}}), tokens.RestoreResult{Restored: 1})
	if left := b.rdb.PTTL(b.Context(), b.names.Token("u")).Val(); left > time.Hour || left < 50*time.Minute {
		b.Errorf("the token lives for %s, want the hour that it had", left)
	}
}

// restoreGivesBackWhatWas expects the token, its time to live and no other key.
func restoreGivesBackWhatWas(b *rig) {
	for _, user := range []string{"u", "a}b", "{x}", "{}", "a b", "", "ü\x00"} {
		for _, ttl := range []time.Duration{0, time.Hour} {
			const token = `d&e%ad|~`
			if err := b.rdb.Set(b.Context(), b.names.Token(user), token, ttl).Err(); err != nil {
				b.Fatal(err)
			}
			if removed, _ := b.forget(user, token); !removed || b.stored(user) != "" {
				b.Errorf("%q: removed %v, Redis holds %q", user, removed, b.stored(user))
			}
			if kept := b.rdb.TTL(b.Context(), b.names.RemovedToken(user)).Val(); kept > tokens.DefaultKeepTTL || kept < tokens.DefaultKeepTTL-time.Minute {
				b.Errorf("%q: the copy lives for %v, want %v", user, kept, tokens.DefaultKeepTTL)
			}
			only := tokens.Filter{Users: []string{user, user}}
			b.expectRestored("first", b.restore(only), tokens.RestoreResult{Restored: 1})
			left := max(0, b.rdb.PTTL(b.Context(), b.names.Token(user)).Val())
			if b.stored(user) != token || left > ttl || left < ttl-time.Minute {
				b.Errorf("%q: Redis holds %q for %v, want %q for %v", user, b.stored(user), left, token, ttl)
			}
			if n := b.rdb.Exists(b.Context(), b.names.NoToken(user)).Val() + b.rdb.Exists(b.Context(), b.names.RemovedToken(user)).Val(); n != 0 {
				b.Errorf("%q: its mark or its copy stays", user)
			}
			b.expectRestored("second", b.restore(only), tokens.RestoreResult{Gone: 1})
		}
	}
}

// restoreReachesSQL restores a token that SQL alone held.
func restoreReachesSQL(b *rig) {
	for _, user := range []string{"in both", "in SQL only", "odd}"} {
		b.sql.rows[user] = "dead"
		if user == "in both" {
			b.set(user, "dead")
		}
		b.forget(user, "dead")
		if left := b.rdb.PTTL(b.Context(), b.names.NoToken(user)).Val(); left > time.Hour || left < 50*time.Minute {
			b.Errorf("%s: the token is ignored for %s, want an hour", user, left)
		}
		b.sql.rows[user] = "" // the responder clears it
		b.expectRestored(user, b.restore(tokens.Filter{Users: []string{user}}), tokens.RestoreResult{Restored: 1})
		if b.sql.rows[user] != "dead" || b.get(user) != "dead" {
			b.Errorf("%s: SQL holds %q, and %q is found", user, b.sql.rows[user], b.get(user))
		}
		if left := b.rdb.PTTL(b.Context(), b.names.Token(user)).Val(); user == "in SQL only" && (left > tokens.DefaultTTL || left < tokens.DefaultTTL-time.Hour) {
			b.Errorf("%s: Redis holds it for %s, want %s as any answer of SQL", user, left, tokens.DefaultTTL)
		}
	}
}

// The copy of a token that SQL holds replaces that of an older token. One that is stored nowhere
// replaces none.
func copiesWhatSQLHolds(b *rig) {
	b.set("u", "old")
	b.forget("u", "old")
	b.sql.rows["u"] = "dead"
	b.forget("u", "dead")
	b.sql.rows["u"] = "" // the responder clears it
	b.forget("u", "stray")
	b.expectRestored("restore", b.restore(tokens.Filter{Users: []string{"u"}}), tokens.RestoreResult{Restored: 1})
	if got := b.stored("u"); got != "dead" {
		b.Errorf("Redis holds %q, want the token that SQL held", got)
	}
}

// A restored token leaves the marks of others, which end when they would have.
func restoreLeavesOtherMarks(b *rig) {
	b.set("u", "old")
	b.forget("u", "old")
	b.set("u", "dead")
	b.forget("u", "dead")
	b.expectRestored("restore", b.restore(tokens.Filter{Users: []string{"u"}}), tokens.RestoreResult{Restored: 1})
	if mark := b.rdb.Get(b.Context(), b.names.NoToken("u")).Val(); mark != "old" {
		b.Errorf("the mark is %q, want the older token", mark)
	}
	if left := b.rdb.PTTL(b.Context(), b.names.NoToken("u")).Val(); left > time.Hour || left < 50*time.Minute {
		b.Errorf("the mark ends in %s, want an hour", left)
	}
}

// A remaining mark would hide the token in SQL once the cached one expires.
func restoreLiftsTheMark(b *rig) {
	b.sql.rows["u"] = "dead"
	b.forget("u", "dead")
	b.restore(tokens.Filter{Users: []string{"u"}})
	b.rdb.Del(b.Context(), b.names.Token("u"))
	if got := b.get("u"); got != "dead" {
		b.Errorf("got %q from SQL", got)
	}
}

func newerTokensStay(b *rig) {
	for _, user := range []string{"in Redis", "in SQL"} {
		b.set(user, "dead")
		b.forget(user, "dead")
	}
	b.set("in Redis", "new")
	b.sql.rows["in SQL"] = "new"
	all := tokens.Filter{Users: []string{"in Redis", "in SQL"}}
	b.expectRestored("with newer ones", b.restore(all), tokens.RestoreResult{Newer: 2})
	if b.stored("in Redis") != "new" || b.stored("in SQL") != "" || b.sql.rows["in SQL"] != "new" || b.sql.rows["in Redis"] != "" {
		b.Errorf("Redis holds %q and %q, SQL %q", b.stored("in Redis"), b.stored("in SQL"), b.sql.rows)
	}
	b.rdb.Del(b.Context(), b.names.Token("in Redis"))
	b.expectRestored("once the newer one is gone", b.restore(all), tokens.RestoreResult{Restored: 1, Newer: 1})
}

func restoreByFilter(b *rig) {
	for _, c := range []struct{ user, campaign string }{{"u1", "42"}, {"u2", "42"}, {"u3", "43"}, {"u}4", ""}} {
		b.set(c.user, "dead")
		if _, err := b.store.Forget(b.Context(), c.user, notification.ParseToken("dead"), c.campaign); err != nil {
			b.Fatal(err)
		}
	}
	var at time.Time
	err := b.store.VisitRemoved(b.Context(), tokens.Filter{Users: []string{"u3"}}, func(some []tokens.RemovedToken) error {
		at = some[0].At
		return nil
	})
	if err != nil || time.Since(at).Abs() > time.Minute {
		b.Fatalf("removed at %v, %v", at, err)
	}
	for name, c := range map[string]struct {
		filter tokens.Filter
		want   []string
	}{
		"everything":       {tokens.Filter{}, []string{"u1", "u2", "u3", "u}4"}},
		"a campaign":       {tokens.Filter{Campaign: "42"}, []string{"u1", "u2"}},
		"two users":        {tokens.Filter{Users: []string{"u3", "u1", "stranger"}}, []string{"u1", "u3"}},
		"a user of others": {tokens.Filter{Users: []string{"u3"}, Campaign: "42"}, nil},
		"from that hookAt": {tokens.Filter{From: at, Campaign: "43"}, []string{"u3"}},
		"before it":        {tokens.Filter{To: at, Campaign: "43"}, nil},
		"after it":         {tokens.Filter{From: at.Add(time.Minute)}, nil},
	} {
		if got := b.removed(c.filter); !slices.Equal(got, c.want) {
			b.Errorf("%s: chose %q, want %q", name, got, c.want)
		}
	}
	if sum, err := b.store.Restore(b.Context(), tokens.Filter{}, tokens.RestoreOptions{DryRun: true}); err != nil || sum != (tokens.RestoreResult{Restored: 4}) {
		b.Errorf("dry run: %+v, %v", sum, err)
	}
	b.expectRestored("campaign 42", b.restore(tokens.Filter{Campaign: "42"}), tokens.RestoreResult{Restored: 2})
	b.expectRestored("mixed", b.restore(tokens.Filter{Users: []string{"u1", "u3"}, Campaign: "43"}), tokens.RestoreResult{Restored: 1, Gone: 1})
	if got := b.removed(tokens.Filter{}); !slices.Equal(got, []string{"u}4"}) {
		b.Errorf("still kept: %q", got)
	}
}

// newestCopyWins, unless its token was stored nowhere.
func newestCopyWins(b *rig) {
	for _, user := range []string{"u", "odd}"} {
		b.set(user, "first")
		b.forget(user, "first")
		b.set(user, "second")
		b.forget(user, "second")
		b.forget(user, "outdated-from-the-audience")
		b.forget(user, "second") // the copy of the same token stays
		b.restore(tokens.Filter{Users: []string{user}})
		if got := b.stored(user); got != "second" {
			b.Errorf("%s: got %q back", user, got)
		}
		if ttl := b.rdb.TTL(b.Context(), b.names.Token(user)).Val(); ttl > 0 {
			b.Errorf("%s: it expires in %v", user, ttl)
		}
	}
	b.sql.rows["v"] = "in-SQL" // the audience's token proves dead, then that of SQL
	b.forget("v", "in-the-audience")
	b.forget("v", "in-SQL")
	b.sql.rows["v"] = ""
	b.restore(tokens.Filter{Users: []string{"v"}})
	if got := b.sql.rows["v"]; got != "in-SQL" {
		b.Errorf("SQL got %q back", got)
	}
}

func restoreMany(b *rig) {
	const n = 2500
	if _, err := b.store.Import(b.Context(), many(n, -1)); err != nil {
		b.Fatal(err)
	}
	for user, token := range many(n, -1) {
		b.forget(user, token.Target.Value)
	}
	var reported []int64
	sum, err := b.store.Restore(b.Context(), tokens.Filter{}, tokens.RestoreOptions{
		Progress: func(so tokens.RestoreResult) { reported = append(reported, so.Restored) },
	})
	if err != nil || sum != (tokens.RestoreResult{Restored: n}) {
		b.Errorf("got %+v, %v", sum, err)
	}
	if !slices.IsSorted(reported) || len(reported) == 0 || reported[len(reported)-1] != n {
		b.Errorf("progress %v", reported)
	}
	for user, token := range many(n, -1) {
		if b.stored(user) != token.Target.Value {
			b.Fatalf("%s has %q", user, b.stored(user))
		}
	}
}
