package console

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"fanfare/internal/content"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
	"fanfare/internal/redact"
)

// messagePanel is a campaign's message as devices show it, for one person or with its
// placeholders.
type messagePanel struct {
	Person  string
	Note    string // says how it is filled in
	Problem string // why the person would get nothing
	Devices []device
	Lang    string // the person's locale, from the profile
	Raw     string
	Bytes   int
	Test    string // the dialog of a test send; "" if this viewer or console cannot
	TestWhy string // why this console cannot; "" for viewers who may not
}

// device is how one platform shows the message.
type device struct {
	Name, Class, Detail string
	App                 string
	Title, Body         []piece
	Image               string
	Silent              string // what happens if nothing is shown
}

// piece is a part of a text. Filled ones come from a person or a default.
type piece struct {
	Text   string
	Filled bool
}

// messageOf returns the panel of a campaign's message. A stream does not renew it.
func (c *Console) messageOf(ctx context.Context, v operator.View, r *http.Request) messagePanel {
	out := messagePanel{Person: strings.TrimSpace(r.URL.Query().Get("person")), Raw: string(v.Spec.Message), Bytes: len(v.Spec.Message)}
	if wantsStream(r) || wantsJSON(r) || len(v.Spec.Message) == 0 {
		return out
	}
	if isTokenLike(out.Person) || len(out.Person) > maxUser {
		out.Person, out.Problem = "", "That is no user’s id."
	}
	if viewerOf(r).Operate && c.deps.SendTest != nil {
		out.Test = c.campaignURL(v.Spec.ID) + "/test"
		if out.Person != "" {
			out.Test += "?" + url.Values{"user": {out.Person}}.Encode()
		}
	}
	if viewerOf(r).Operate && c.deps.SendTest == nil {
		out.TestWhy = "no credentials for FCM"
	}
	var filled operator.FilledMessage
	err := c.askShared(ctx, func(ctx context.Context) (err error) {
		filled, err = c.deps.System.FillForNewest(ctx, v.Spec, out.Person)
		return err
	})
	if err != nil {
		return out // the reasons above say what is wrong with the message
	}
	out.describePerson(filled)
	template, text := filled.Template, filled.Message
	switch {
	case text == nil:
		text = template
	case filled.Variant+filled.Locale != "": // the base message does not show what was filled in
		template = text
	}
	out.Devices = devicesOf(template, text, cmp.Or(v.Spec.Project, c.projectLabel()))
	return out
}

// describePerson says how the message is filled in, and what fails.
func (p *messagePanel) describePerson(f operator.FilledMessage) {
	if f.User == "" {
		p.Note = "Dotted is filled in for each person. Name one to see theirs."
		return
	}
	p.Note = "Filled in for " + f.User + " from the profile and the defaults. Dotted is what was filled in; an audience’s columns go before it."
	switch {
	case !placeholderPattern.Match(f.Template):
		p.Note = "The same for everyone: nothing in it is filled in."
	case f.Profile == nil:
		p.Note = "No profile of " + f.User + " is stored. Dotted are defaults; an audience’s columns go before them."
	}
	var choice []string
	if f.Variant != "" {
		choice = append(choice, "variant "+f.Variant)
	}
	if f.Locale != "" {
		choice = append(choice, "language "+f.Locale)
	}
	if len(choice) > 0 {
		p.Note = "The " + strings.Join(choice, ", ") + " for " + f.User + ", filled in from the profile and the defaults. An audience’s columns and each device’s language go before them."
	}
	if f.HeldOut {
		p.Problem = f.User + " is in the hold-out group and gets nothing: ends as skipped, HOLDOUT."
	}
	_ = json.Unmarshal(f.Profile["locale"], &p.Lang) // without one, the page's language counts
	unfilled, lacks := errors.AsType[*content.UnfilledError](f.Err)
	switch {
	case lacks:
		p.Problem = "Ends as skipped, UNFILLED, unless the audience has a column " + unfilled.Name + ": the profile lacks it, and there is no default."
	case f.Err != nil:
		p.Problem = "The profile is unknown: " + redact.Text(f.Err.Error())
	}
}

// devicesOf draws a message on each platform. template has the placeholders that text has filled
// in.
func devicesOf(template, text notification.Message, app string) []device {
	raw, full := operator.PreviewMessage(template), operator.PreviewMessage(text)
	if len(raw) != len(full) {
		return nil
	}
	all := make([]device, len(full))
	for i, p := range full {
		details := p.Details
		if p.TTL > 0 {
			details = append(details, "kept "+span(p.TTL))
		}
		all[i] = device{
			Name: p.Platform, Class: strings.ToLower(p.Platform), Detail: strings.Join(details, ", "), App: cmp.Or(app, "App"),
			Title: pieces(raw[i].Title, p.Title), Body: pieces(raw[i].Body, p.Body), Image: p.Image,
		}
		if p.IsSilent() {
			all[i].Silent = "Nothing is shown: the app gets the data, and decides."
		}
	}
	return all
}

var placeholderPattern = regexp.MustCompile(`\{\{[^{}]*\}\}`)

// pieces splits a text into what everyone gets and what is filled in. The literal parts of the
// template are found in the filled text one after the other.
func pieces(template, text string) []piece {
	var all []piece
	add := func(text string, filled bool) {
		if text != "" {
			all = append(all, piece{text, filled})
		}
	}
	literals := placeholderPattern.Split(template, -1)
	if template == text { // nothing is filled in: the placeholders are shown
		names := placeholderPattern.FindAllString(template, -1)
		for i, literal := range literals {
			add(literal, false)
			if i < len(names) {
				add(names[i], true)
			}
		}
		return all
	}
	if !strings.HasPrefix(text, literals[0]) {
		return []piece{{text, true}}
	}
	add(literals[0], false)
	rest := text[len(literals[0]):]
	for i, literal := range literals[1:] {
		at := strings.Index(rest, literal)
		if i == len(literals)-2 {
			at = len(rest) - len(literal)
		}
		if at < 0 {
			add(rest, true)
			return all
		}
		add(rest[:at], true)
		add(literal, false)
		rest = rest[at+len(literal):]
	}
	return all
}
