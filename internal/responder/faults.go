package responder

import (
	"errors"

	"fanfare/internal/redisx"
)

// haltError is an error of the database that nothing but a person's action will end.
type haltError struct{ err error }

func (e *haltError) Error() string { return e.err.Error() }
func (e *haltError) Unwrap() error { return e.err }

// halted stops the claiming if that is what an error calls for.
func (r *Responder) halted(err error) bool {
	next, forGood := nextStep(err)
	if !forGood {
		return false
	}
	r.halt.begin(err)
	r.metrics.halted.Set(1)
	r.log.Error("halted: results stay in Redis, and no restart is needed. "+next, "tried_again_after", r.opts.Pause, "error", err)
	return true
}

// nextStep tells what a person must do about an error that nothing else will end.
func nextStep(err error) (next string, forGood bool) {
	if _, refused := errors.AsType[*haltError](err); refused {
		return "the database refuses every result: repair its tables, permissions or statements; writing goes on by itself then", true
	}
	if _, mistyped := errors.AsType[*redisx.TypeError](err); mistyped {
		return "a key of Redis holds another type: rename or delete it", true
	}
	if redisx.Denied(err) {
		return "Redis refuses our credentials, or what we ask of it with them: mend the password or the ACL", true
	}
	return "Redis refuses what we ask of it: mend what the error names", redisx.Permanent(err)
}

// served ends a halt when results have been written and removed.
func (r *Responder) served(results int) {
	if results > 0 {
		r.resume()
	}
}

// heard ends a halt for what Redis said when it takes a claim again, though there is nothing to claim; for the database,
// which nobody has asked, that proves nothing.
func (r *Responder) heard() {
	if redisx.Permanent(r.halt.cause()) {
		r.resume()
	}
}

func (r *Responder) resume() {
	if r.halt.end() {
		r.metrics.halted.Set(0)
		r.log.Info("results are written again")
	}
}
