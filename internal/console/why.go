package console

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"fanfare/internal/operator"
)

// why is a reason as a row or a panel shows it, with what to do about it.
type why struct {
	Tone, Icon, Headline, Text string
	URL, Label                 string // of the dialog that ends it, and the word on its button; "" for none
	Step                       []step // what to do, in words and commands
}

// StepsFor returns what to do in words, unless a viewer's button says it all.
func (w why) StepsFor(operate bool) []step {
	if operate && w.URL != "" && len(w.Step) == 1 {
		return nil
	}
	return w.Step
}

// step is a part of what to do: words, or a command to type.
type step struct {
	Text    string
	Command bool
}

// whyOf returns the sentence on a reason of a campaign, or of the whole system if each is nil.
func (c *Console) whyOf(r *operator.Reason, each *Campaign, s *Snapshot) why {
	w := why{Tone: tone(r), Headline: r.Title(s.At), Icon: iconOf(tone(r)), Text: textOf(r, s.At), Step: stepsOf(r.Next)}
	if len(w.Step) == 0 && r.EndsByItself {
		w.Step = []step{{Text: "Nothing to do"}}
	}
	w.URL, w.Label = c.remedyOf(r, each, s)
	return w
}

// textOf is the detail of a reason with its numbers: who waits, since when, and until when.
func textOf(r *operator.Reason, now time.Time) string {
	var parts []string
	if r.Detail != "" {
		parts = append(parts, strings.TrimSuffix(r.Detail, "."))
	}
	if r.People > 0 && r.Kind != operator.ReasonDraft {
		parts = append(parts, plural(r.People, "person waits", "people wait"))
	}
	switch {
	case !r.Until.IsZero() && r.Until.After(now):
		parts = append(parts, "next look in "+span(r.Until.Sub(now)))
	case !r.Since.IsZero() && r.Title(now) == r.Headline: // which may say it
		parts = append(parts, "since "+span(now.Sub(r.Since)))
	}
	return sentence(parts)
}

// remedyOf returns the dialog that ends a reason. Only start and resume are actions of the
// campaign; the others belong to its project.
func (c *Console) remedyOf(r *operator.Reason, each *Campaign, s *Snapshot) (address, label string) {
	if each == nil {
		return "", ""
	}
	switch r.Action {
	case operator.ActionStart:
		return c.campaignURL(each.Spec.ID) + "/start", "Start…"
	case operator.ActionResume:
		return c.campaignURL(each.Spec.ID) + "/resume", "Resume…"
	case operator.ActionResumeProject:
		return c.projectAction(s, each.Spec.Project, "resume"), "Resume the project…"
	case operator.ActionOpenGate:
		return c.projectAction(s, each.Spec.Project, "open"), "Open the gate…"
	}
	return "", ""
}

// projectAction is the dialog of a project's action; "" if this console has no pace of it.
func (c *Console) projectAction(s *Snapshot, id, action string) string {
	project, known := s.findProject(id)
	switch {
	case !known || project.Pace == nil:
		return ""
	case len(s.Projects) == 1:
		return c.opts.Prefix + "/quota/" + action
	}
	return c.projectURL(project.ID) + "/" + action
}

// stepsOf splits the next step of a reason, such as "start one: dispatcher; or fanfare ps", into
// words and commands.
func stepsOf(next string) []step {
	var steps []step
	words := ""
	for i, clause := range splitClauses(next) {
		lead, command := cutCommand(clause)
		if i > 0 {
			lead = "; " + lead
		}
		if words += lead; command == "" {
			continue
		}
		if words != "" {
			steps = append(steps, step{Text: words})
		}
		steps, words = append(steps, step{command, true}), ""
	}
	if words != "" {
		steps = append(steps, step{Text: words})
	}
	if len(steps) > 0 && !steps[0].Command {
		steps[0].Text = capital(steps[0].Text)
	}
	return steps
}

// splitClauses splits at semicolons that stand outside of the quotes of a shell. An apostrophe
// within a word is no quote.
func splitClauses(text string) []string {
	var clauses []string
	quoted, from := false, 0
	before := ' '
	for i, r := range text {
		switch {
		case r == '\'' && (quoted || !unicode.IsLetter(before)):
			quoted = !quoted
		case !quoted && strings.HasPrefix(text[i:], "; "):
			clauses = append(clauses, text[from:i])
			from = i + len("; ")
		}
		before = r
	}
	if from < len(text) {
		clauses = append(clauses, text[from:])
	}
	return clauses
}

// programs begin the commands in a next step.
var programs = []string{"fanfare", "dispatcher", "responder"}

// cutCommand cuts a clause before the command at its end. The command is "" if there is none.
func cutCommand(clause string) (lead, command string) {
	for _, begin := range []string{"", ": ", "or ", "and "} {
		for _, program := range programs {
			at := strings.Index(clause, begin+program)
			if at < 0 || begin == "" && at > 0 {
				continue
			}
			at += len(begin)
			if rest := clause[at+len(program):]; rest == "" || rest[0] == ' ' {
				return clause[:at], clause[at:]
			}
		}
	}
	return clause, ""
}

// sentence joins parts into sentences, each with a capital letter.
func sentence(parts []string) string {
	for i, p := range parts {
		parts[i] = capital(p)
	}
	if len(parts) == 0 {
		return ""
	}
	return strings.Join(parts, ". ") + "."
}

// capital returns a text with a capital letter at its beginning.
func capital(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}
