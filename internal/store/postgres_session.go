package store

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// session knows how each of the connection's parameters, such as search_path, is set: at the start of a connection unless
// the server refuses it there. PgBouncer does so with all but a few. Those are set in each transaction: set once, they would
// stay with the server connection and reach the pooler's other clients.
type session struct {
	log *slog.Logger

	mu     sync.Mutex
	params map[string]string
	set    map[string]moment // of those that are not set at the start
}

// moment is when a parameter is set.
type moment uint8

const (
	inTransaction moment = iota + 1
	never                // no server knows it
)

func newSession(params map[string]string, log *slog.Logger) *session {
	return &session{log: log, params: maps.Clone(params), set: make(map[string]moment)}
}

// beforeConnect leaves out what was refused before.
func (s *session) beforeConnect(_ context.Context, c *pgx.ConnConfig) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(c.RuntimeParams, func(name, _ string) bool { return s.set[name] != 0 })
	return nil
}

// begin is the query that begins a transaction with the parameters that need it; empty where none does.
func (s *session) begin() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var query strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s.set)) {
		if s.set[name] == inTransaction {
			query.WriteString("; SELECT set_config(" + quoted(name) + ", " + quoted(s.params[name]) + ", true)")
		}
	}
	if query.Len() == 0 {
		return ""
	}
	return "BEGIN" + query.String()
}

// quoted is a text as SQL's literal, with the prefix E: it reads backslashes in one way whatever
// standard_conforming_strings is.
func quoted(text string) string {
	return "E'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'"
}

// adapt learns from the refusal of a parameter, and reports whether the call that met it has a better chance now. Such a call
// has done nothing yet.
func (s *session) adapt(err error) bool {
	refusal, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return false
	}
	_, starting := errors.AsType[*pgconn.ConnectError](err)
	switch {
	case starting && strings.Contains(refusal.Message, "startup parameter"):
		return s.move(refusal.Message, inTransaction)
	case refusal.Code == "42704": // unrecognized configuration parameter
		return s.move(refusal.Message, never)
	}
	return false
}

// move finds the parameter that a refusal names. Of several connections that start at once, each may be refused.
func (s *session) move(refusal string, to moment) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name := range s.params {
		if !strings.Contains(refusal, `"`+name+`"`) && !strings.HasSuffix(refusal, ": "+name) {
			continue
		}
		if s.set[name] >= to {
			return true
		}
		s.set[name] = to
		if to == never {
			s.log.Warn("database parameter ignored; the server does not know it", "parameter", name)
		} else {
			s.log.Info("database parameter set in each transaction; the pooler does not take it at the start", "parameter", name)
		}
		return true
	}
	return false
}

// spreadOptions makes parameters of "-c name=value" in the parameter options: a server takes both, and so those that a pooler
// refuses can be told apart. Options of another form, such as those by which hosts route connections, stay.
func spreadOptions(params map[string]string) {
	spread := make(map[string]string)
	words := strings.Fields(params["options"])
	for i := 0; i < len(words); i++ {
		word := words[i]
		switch {
		case word == "-c" && i+1 < len(words):
			i++
			word = words[i]
		case strings.HasPrefix(word, "--"):
			word = strings.TrimPrefix(word, "--")
		case strings.HasPrefix(word, "-c"):
			word = strings.TrimPrefix(word, "-c")
		default:
			return
		}
		name, value, ok := strings.Cut(word, "=")
		if !ok || strings.Contains(word, `\`) {
			return
		}
		spread[strings.ReplaceAll(name, "-", "_")] = value
	}
	delete(params, "options")
	for name, value := range spread {
		if _, given := params[name]; !given {
			params[name] = value
		}
	}
}
