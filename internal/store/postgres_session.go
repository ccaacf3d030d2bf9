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

// session decides how each connection parameter, such as search_path, is set. Parameters are set at
// the start of a connection unless the server refuses that, as PgBouncer does for most. Refused
// ones are set in each transaction. Setting them once would leave them on the server connection,
// where they reach the pooler's other clients.
type session struct {
	log *slog.Logger

	mu         sync.Mutex
	params     map[string]string
	placements map[string]placement // of parameters that are not set at the start
}

// placement is where a parameter is set.
type placement uint8

const (
	perTransaction placement = iota + 1
	unsupported              // the server does not know it
)

func newSession(params map[string]string, log *slog.Logger) *session {
	return &session{log: log, params: maps.Clone(params), placements: make(map[string]placement)}
}

// omitRefused drops the parameters that were refused before.
func (s *session) omitRefused(_ context.Context, c *pgx.ConnConfig) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(c.RuntimeParams, func(name, _ string) bool { return s.placements[name] != 0 })
	return nil
}

// beginQuery returns the query that begins a transaction with its parameters, or "" if none needs
// it.
func (s *session) beginQuery() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var query strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s.placements)) {
		if s.placements[name] == perTransaction {
			query.WriteString("; SELECT set_config(" + quoteLiteral(name) + ", " + quoteLiteral(s.params[name]) + ", true)")
		}
	}
	if query.Len() == 0 {
		return ""
	}
	return "BEGIN" + query.String()
}

// quoteLiteral returns a text as an SQL literal with the prefix E. The prefix fixes the meaning of
// backslashes, whatever standard_conforming_strings is.
func quoteLiteral(text string) string {
	return "E'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'"
}

// adapt learns from a refused parameter. It reports whether the call may be repeated; such a call
// has done nothing yet.
func (s *session) adapt(err error) bool {
	refusal, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return false
	}
	_, starting := errors.AsType[*pgconn.ConnectError](err)
	switch {
	case starting && strings.Contains(refusal.Message, "startup parameter"):
		return s.moveParameter(refusal.Message, perTransaction)
	case refusal.Code == "42704": // unrecognized configuration parameter
		return s.moveParameter(refusal.Message, unsupported)
	}
	return false
}

// moveParameter finds the parameter that a refusal names and changes its placement. Several
// connections that start together may each be refused.
func (s *session) moveParameter(refusal string, to placement) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name := range s.params {
		if !strings.Contains(refusal, `"`+name+`"`) && !strings.HasSuffix(refusal, ": "+name) {
			continue
		}
		if s.placements[name] >= to {
			return true
		}
		s.placements[name] = to
		if to == unsupported {
			s.log.Warn("database parameter ignored; the server does not know it", "parameter", name)
		} else {
			s.log.Info("database parameter set in each transaction; the pooler refuses it at the start", "parameter", name)
		}
		return true
	}
	return false
}

// splitOptions turns "-c name=value" in the parameter options into parameters of their own. A
// pooler can then refuse them one by one. Options of another form, such as those that route
// connections, stay.
func splitOptions(params map[string]string) {
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
