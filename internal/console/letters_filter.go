package console

import (
	"net/url"
	"strings"
	"time"

	"fanfare/internal/responses"
)

// lettersFilter is what the address selects.
type lettersFilter struct {
	Code, Campaign, User, Reason string
	Since                        string // as a browser's field for a moment writes it, UTC
}

func (f lettersFilter) filter() responses.Filter {
	since, _ := f.since() // check refuses it
	return responses.Filter{Code: f.Code, Campaign: f.Campaign, User: f.User, Reason: f.Reason, Since: since, Newest: true}
}

func (f lettersFilter) since() (time.Time, error) {
	if f.Since == "" {
		return time.Time{}, nil
	}
	return time.Parse(momentLayout, f.Since)
}

// check refuses a filter that would select other letters than the person meant.
func (f lettersFilter) check() error {
	if _, err := f.since(); err != nil {
		return &inputError{"Since is no moment such as 2026-11-22T18:00, in UTC."}
	}
	return nil
}

// problemOf is the text of an error, "" for none.
func problemOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func (f lettersFilter) isEmpty() bool { return f == lettersFilter{} }

// words names what the filter selects.
func (f lettersFilter) words() string {
	if f.isEmpty() {
		return "all dead letters"
	}
	var parts []string
	for _, part := range []struct{ label, value string }{{"code", f.Code}, {"campaign", f.Campaign}, {"user", f.User}, {"reason", f.Reason}, {"since", f.Since}} {
		if part.value != "" {
			parts = append(parts, part.label+" "+part.value)
		}
	}
	return strings.Join(parts, ", ")
}

// query is the filter as the query of an address.
func (f lettersFilter) query() string { return f.values().Encode() }

func (f lettersFilter) values() url.Values {
	q := url.Values{}
	for name, value := range map[string]string{"code": f.Code, "campaign": f.Campaign, "user": f.User, "reason": f.Reason, "since": f.Since} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return q
}

// lettersURL is the page of the letters that a filter selects, or a dialog for all of them. It is
// whole, because a template would escape the query once more.
func (c *Console) lettersURL(action string, f lettersFilter) string {
	address := c.opts.Prefix + "/dead" + action
	if query := f.query(); query != "" {
		address += "?" + query
	}
	return address
}

func lettersFilterOf(q url.Values) lettersFilter {
	return lettersFilter{clip(q.Get("code"), 100), clip(q.Get("campaign"), 500), clip(q.Get("user"), 500), clip(q.Get("reason"), 200), clip(q.Get("since"), 40)}
}
