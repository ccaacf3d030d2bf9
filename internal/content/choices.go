package content

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// choices are the languages and variants of a message.
type choices struct {
	variants []variant
	// holdout is the percentage of users that get nothing.
	holdout   uint64
	languages languages
}

// variant is one text of an A/B test, in all languages.
type variant struct {
	name   string
	weight uint64     // percent of the users
	texts  []*Content // the base, then one for each language
}

// hundred is what weights and hold-out add up to.
const hundred = 100

// Pick is what one user gets of a message.
type Pick struct {
	Content *Content
	// Variant and Locale name what was picked. They are empty for a message without variants, and
	// for the base language.
	Variant, Locale string
	// HeldOut reports whether the user is in the hold-out group and gets nothing.
	HeldOut bool
}

// HasLocales reports whether the message depends on the user's language.
func (c *Content) HasLocales() bool { return c.choices != nil && len(c.choices.languages.names) > 0 }

// Locales returns the languages beside the base language, as the message spells them.
func (c *Content) Locales() []string {
	if c.choices == nil {
		return nil
	}
	return slices.Clone(c.choices.languages.names)
}

// Variants returns the names of the variants.
func (c *Content) Variants() []string {
	if c.choices == nil {
		return nil
	}
	var names []string
	for _, v := range c.choices.variants {
		if v.name != "" {
			names = append(names, v.name)
		}
	}
	return names
}

// Share is how many of 100 users get a variant, or nothing.
type Share struct {
	Variant string // empty for the hold-out group
	Percent int
	HeldOut bool
}

// Shares returns the share of each variant, then that of the hold-out group, if there is one. A
// message without variants has no other.
func (c *Content) Shares() []Share {
	if c.choices == nil {
		return nil
	}
	var all []Share
	for _, v := range c.choices.variants {
		if v.name != "" {
			all = append(all, Share{Variant: v.name, Percent: int(v.weight)})
		}
	}
	if c.choices.holdout > 0 {
		all = append(all, Share{Percent: int(c.choices.holdout), HeldOut: true})
	}
	return all
}

// Pick returns what a user gets. The variant follows from the campaign and the user, so it stays
// the same. The language is that of the first locale that is a BCP 47 tag; a message without that
// language comes in its base language.
func (c *Content) Pick(campaign, user string, locales ...string) Pick {
	if c.choices == nil {
		return Pick{Content: c}
	}
	at := bucket(campaign, user)
	for i := range c.choices.variants {
		v := &c.choices.variants[i]
		if at < v.weight {
			language := c.choices.languages.find(locales)
			return Pick{Content: v.texts[language], Variant: v.name, Locale: c.choices.languages.name(language)}
		}
		at -= v.weight
	}
	return Pick{Content: c, HeldOut: true}
}

// VariantOf returns the name of a user's variant. It is empty without variants, and for a user who
// is held out.
func (c *Content) VariantOf(campaign, user string) string {
	if c.choices == nil || user == "" {
		return ""
	}
	return c.Pick(campaign, user).Variant
}

// IsHeldOut reports whether a user is in the hold-out group.
func (c *Content) IsHeldOut(campaign, user string) bool {
	return c.choices != nil && c.choices.holdout > 0 && bucket(campaign, user) >= hundred-c.choices.holdout
}

// bucket returns a number below 100 that is evenly spread over users, and the same for each pair.
func bucket(campaign, user string) uint64 {
	text := make([]byte, 0, 128)
	text = binary.BigEndian.AppendUint64(text, uint64(len(campaign)))
	text = append(append(text, campaign...), user...)
	sum := sha256.Sum256(text)
	return binary.BigEndian.Uint64(sum[:8]) % hundred
}

// Texts returns what can be picked, for checks and previews: each variant in each language.
func (c *Content) Texts() []Pick {
	if c.choices == nil {
		return []Pick{{Content: c}}
	}
	var all []Pick
	for _, v := range c.choices.variants {
		for i, text := range v.texts {
			all = append(all, Pick{Content: text, Variant: v.name, Locale: c.choices.languages.name(i)})
		}
	}
	return slices.Clip(all)
}
