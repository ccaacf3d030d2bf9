// Package checks looks at everything that sending depends on, and grades what it finds. It never
// changes anything.
package checks

import (
	"context"
	"errors"
	"strings"

	"fanfare/internal/redact"
)

// Grade says how good a finding is.
type Grade string

// A campaign can be sent with warnings; with a failure it should not be.
const (
	Good    Grade = "ok"
	Warning Grade = "warning"
	Failure Grade = "failure"
)

var severity = map[Grade]int{Good: 0, Warning: 1, Failure: 2}

// IsWorse reports whether a grade is less good than another one.
func (g Grade) IsWorse(than Grade) bool { return severity[g] > severity[than] }

// Finding is the result of one check, with the operator's next step where it is not good.
type Finding struct {
	Name   string `json:"name"`
	Grade  Grade  `json:"grade"`
	Detail string `json:"detail"`
	Advice string `json:"advice,omitempty"`
	// Cause is the error behind a failure, if there is one. It decides the exit code.
	Cause error `json:"-"`
}

// Probe is one check. An error is a failure, a *Caution a warning.
type Probe struct {
	Name string
	Run  func(ctx context.Context) (detail string, err error)
}

// Caution is what a Probe returns for something that works but is dangerous.
type Caution struct{ Problem, Advice string }

func (c *Caution) Error() string { return c.Problem + "; " + c.Advice }

// Run runs all probes. A finding never stops the next one.
func Run(ctx context.Context, probes ...Probe) []Finding {
	findings := make([]Finding, len(probes))
	for i, probe := range probes {
		detail, err := probe.Run(ctx)
		f := Finding{Name: probe.Name, Grade: Good, Detail: detail}
		if caution, ok := errors.AsType[*Caution](err); ok {
			f.Grade, f.Detail, f.Advice = Warning, caution.Problem, caution.Advice
		} else if err != nil {
			f.Grade, f.Detail, f.Cause = Failure, inOneLine(err), err
		}
		f.Detail = redact.Text(f.Detail)
		findings[i] = f
	}
	return findings
}

// inOneLine takes the line breaks and tabs out of an error: database drivers write several lines.
func inOneLine(err error) string { return strings.Join(strings.Fields(redact.Text(err.Error())), " ") }
