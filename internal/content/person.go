package content

import (
	"encoding/json"
	"slices"
)

// Person is the user that a message is filled in for.
type Person struct {
	Campaign, User string
	// Locale is that of the device or of the element, and UserLocale that of the element beside
	// the device's. The first one that names a language counts, and the profile's comes last.
	Locale, UserLocale string
	Vars               map[string]json.RawMessage
}

// Values are what a person's own vars say of the placeholders in their text. They are kept only for
// texts with dotted names, whose objects are decoded once then. The zero Values are none.
type Values struct {
	content *Content // that they are of
	found   []json.RawMessage
}

// NeedsProfile reports whether the person has neither the language nor all values of the message.
func (c *Content) NeedsProfile(p Person) bool {
	_, needs := c.FindValues(p, nil)
	return needs
}

// FindValues looks up the person's own values, for FillWith. It reports whether the profile is
// needed, too: for the language, or for a value. known are what was found for other devices of the
// person: those of the same text share one of them.
func (c *Content) FindValues(p Person, known []Values) (v Values, needsProfile bool) {
	if c.HasLocales() && !c.choices.languages.areKnown(p.Locale, p.UserLocale) {
		return v, true
	}
	text := c.Pick(p.Campaign, p.User, p.Locale, p.UserLocale).Content
	if text.roots == nil {
		return v, !text.IsFilledBy(p.Vars)
	}
	if i := slices.IndexFunc(known, func(k Values) bool { return k.content == text }); i >= 0 {
		v = known[i]
	} else {
		v = Values{text, make([]json.RawMessage, len(text.values.list))}
		text.find(v.found, p.Vars)
	}
	return v, slices.ContainsFunc(v.found, func(raw json.RawMessage) bool { return raw == nil })
}

// PickFor returns the text that a person gets, in their variant and language.
func (c *Content) PickFor(p Person, profile map[string]json.RawMessage) Pick {
	var locale string
	if c.HasLocales() {
		_ = json.Unmarshal(profile["locale"], &locale) // a value of another type is no locale
	}
	return c.Pick(p.Campaign, p.User, p.Locale, p.UserLocale, locale)
}

// FillFor returns a person's message in their variant and language, and the language that was
// picked. Its errors are those of Fill.
func (c *Content) FillFor(p Person, profile map[string]json.RawMessage) (m *Message, locale string, err error) {
	return c.FillWith(p, Values{}, profile)
}

// FillWith is FillFor with the values that were found before. They are not changed.
func (c *Content) FillWith(p Person, v Values, profile map[string]json.RawMessage) (m *Message, locale string, err error) {
	pick := c.PickFor(p, profile)
	if pick.Content != v.content {
		v.found = nil
	}
	m, err = pick.Content.fill(v.found, p.Vars, profile)
	return m, pick.Locale, err
}

// HasBadLocale reports whether a text of those in which a person's language was given names none.
// Only a message in several languages asks.
func (c *Content) HasBadLocale(locales ...string) bool {
	if !c.HasLocales() {
		return false
	}
	return slices.ContainsFunc(locales, func(locale string) bool {
		return locale != "" && !c.choices.languages.areKnown(locale)
	})
}
