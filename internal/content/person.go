package content

import "encoding/json"

// Person is the user that a message is filled in for.
type Person struct {
	Campaign, User string
	// Locale is that of the device or of the element, and UserLocale that of the element beside
	// the device's. The first one that names a language counts, and the profile's comes last.
	Locale, UserLocale string
	Vars               map[string]json.RawMessage
}

// NeedsProfile reports whether the person has neither the language nor all values of the message.
func (c *Content) NeedsProfile(p Person) bool {
	if c.HasLocales() && !c.choices.languages.areKnown(p.Locale, p.UserLocale) {
		return true
	}
	return !c.Pick(p.Campaign, p.User, p.Locale, p.UserLocale).Content.IsFilledBy(p.Vars)
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
	pick := c.PickFor(p, profile)
	m, err = pick.Content.Fill(p.Vars, profile)
	return m, pick.Locale, err
}
