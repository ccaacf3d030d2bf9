// Package history keeps who did what, and when: a stream in Redis for each campaign and for each
// Firebase project. The script that makes a change also adds its entry, with Lua.
package history

import (
	"context"
	"embed"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/bounds"
	"fanfare/internal/notification"
	"fanfare/internal/redisx"
)

//go:embed lua
var files embed.FS

// Lua returns the piece of a script that defines add_entry.
func Lua() string { return redisx.NewLua(files).Piece("prelude") }

type actorKey struct{}

// WithActor says who acts in the calls that get the context, such as "ops, console".
func WithActor(ctx context.Context, actor string) context.Context {
	return context.WithValue(ctx, actorKey{}, actor)
}

// ActorOf returns who acts by WithActor; "" if no one was named.
func ActorOf(ctx context.Context) string {
	actor, _ := ctx.Value(actorKey{}).(string)
	return actor
}

// breakerMark stands in the name of a breaker that acts.
const breakerMark = ", breaker "

// NameBreaker names a breaker that acts, by the process that acts for it and its kind of answers.
func NameBreaker(process, kind string) string { return process + breakerMark + kind }

// IsBreaker reports whether an actor is a breaker rather than a person.
func IsBreaker(actor string) bool { return strings.Contains(actor, breakerMark) }

// Parse reads entries in the order given. It replaces bytes that SQL cannot hold. A field that is
// missing or unreadable stays empty.
func Parse(found []redis.XMessage) []notification.HistoryEntry {
	all := make([]notification.HistoryEntry, len(found))
	for i, message := range found {
		ms, _, _ := strings.Cut(message.ID, "-")
		at, _ := strconv.ParseInt(ms, 10, 64) // Redis made it
		n, _ := strconv.ParseInt(Text(message, "n"), 10, 64)
		all[i] = notification.HistoryEntry{
			ID: message.ID, At: bounds.Milli(at),
			What: Text(message, "what"), Who: Text(message, "who"), Detail: Text(message, "detail"), N: max(0, n),
		}
	}
	return all
}

// Text returns a field of an entry, without bytes that SQL cannot hold.
func Text(message redis.XMessage, field string) string {
	value, _ := message.Values[field].(string)
	return strings.ToValidUTF8(strings.ReplaceAll(value, "\x00", ""), "�")
}
