package responder

import (
	"errors"

	"fanfare/internal/queue"
)

// haltError is an error of the database that nothing but a person's action will end.
type haltError struct{ err error }

func (e *haltError) Error() string { return e.err.Error() }
func (e *haltError) Unwrap() error { return e.err }

// wrongType reports a key of another type, which halts too.
func wrongType(err error) bool {
	_, wrong := errors.AsType[*queue.TypeError](err)
	return wrong
}

// halted stops the claiming if that is what an error calls for.
func (r *Responder) halted(err error) bool {
	next := "the database refuses every result: mend its schema, permissions or statements"
	if wrongType(err) {
		next = "a key of Redis holds another type: rename or delete it"
	} else if _, refused := errors.AsType[*haltError](err); !refused {
		return false
	}
	r.halt.begin(err)
	r.metrics.halted.Set(1)
	r.log.Error("halted: results stay in Redis, and no restart is needed. "+next, "tried_again_after", r.opts.Pause, "error", err)
	return true
}

// served ends a halt when results have been written and removed.
func (r *Responder) served(results int) {
	if results > 0 {
		r.resume()
	}
}

// heard ends a halt for a wrong type when there is nothing to claim and no such type; for the database, which nobody has
// asked, that proves nothing.
func (r *Responder) heard() {
	if wrongType(r.halt.cause()) {
		r.resume()
	}
}

func (r *Responder) resume() {
	if r.halt.end() {
		r.metrics.halted.Set(0)
		r.log.Info("results are written again")
	}
}
