package operator

import (
	"maps"
	"slices"

	"fanfare/internal/campaign"
	"fanfare/internal/content"
	"fanfare/internal/notification"
	"fanfare/internal/store"
)

// OutcomeSums is what became of a group of recipients.
type OutcomeSums struct {
	// Recipients is the sum of Sent, Failed and Others.
	Recipients int64 `json:"recipients"`
	Sent       int64 `json:"sent"`
	Failed     int64 `json:"failed"`
	Others     int64 `json:"others"`
}

// VariantCount is what became of the users of one variant.
type VariantCount struct {
	Name string `json:"name"`
	// Percent is how many of 100 users get the variant; 0 if the message does not say.
	Percent int `json:"percent,omitempty"`
	// HeldOut marks the hold-out group, which gets nothing. Its Name is empty.
	HeldOut bool `json:"heldOut,omitempty"`
	OutcomeSums
}

// LanguageCount is what became of the recipients whose text is in one language.
type LanguageCount struct {
	// Locale names the language as the message does. It is empty for the base language, and
	// for None.
	Locale string `json:"locale"`
	// None marks the recipients without a text in any language (Books.Locales).
	None bool `json:"none,omitempty"`
	OutcomeSums
}

// Choices are a campaign's outcomes by what was picked for the recipients.
type Choices struct {
	// Variants has each variant, then the hold-out group. Recipients of neither come last, with an
	// empty Name (Books.WithoutVariant). It is nil for a message without variants and hold-out
	// group.
	Variants []VariantCount
	// Languages has the base language, each other language, and recipients without any. It is nil
	// for a message in one language.
	Languages []LanguageCount
	// Ended is all ended recipients, the sum of either.
	Ended OutcomeSums
}

// Choices returns the outcomes by variant and language.
func (v View) Choices() Choices {
	of := v.readChoices()
	return countChoices(of.shares, of.locales, v.Books)
}

// Choices returns those of the View. If Redis has forgotten the campaign they are those in SQL,
// which has no weights.
func (r *Report) Choices() Choices {
	if r.View != nil {
		return r.View.Choices()
	}
	b := booksOfChoices(r.choices)
	var shares []content.Share
	if b.HeldOut > 0 {
		shares = append(shares, content.Share{HeldOut: true})
	}
	return countChoices(shares, nil, b)
}

func countChoices(shares []content.Share, locales []string, b campaign.Books) Choices {
	return Choices{countVariants(shares, b), countLanguages(locales, b), sumsOfEnded(b)}
}

// booksOfChoices adds up what SQL has. It has languages only if a text was in another than the base
// language.
func booksOfChoices(counts []store.ChoiceCount) campaign.Books {
	var b campaign.Books
	hasLocale := func(n store.ChoiceCount) bool { return n.Locale != "" }
	withLocales := slices.ContainsFunc(counts, hasLocale)
	for _, n := range counts {
		b.AddEnded(n.Status, n.N)
		if n.HeldOut {
			b.HeldOut += n.N
			continue
		}
		if n.Variant != "" {
			b.AddVariant(n.Variant, n.Status, n.N)
		}
		if withLocales && !n.Nameless {
			b.AddLocale(n.Locale, n.Status, n.N)
		}
	}
	return b
}

// Languages returns the languages of the message beside its base language.
func (v View) Languages() []string { return v.readChoices().locales }

// messageChoices are the texts that a message offers.
type messageChoices struct {
	shares  []content.Share
	locales []string
}

// choicesOf returns the choices of a compiled message; none of one that cannot be read.
func choicesOf(c *content.Content, err error) messageChoices {
	if err != nil {
		return messageChoices{}
	}
	return messageChoices{c.Shares(), c.Locales()}
}

// readChoices reads the message of a view that Show did not make.
func (v View) readChoices() messageChoices {
	if v.choices != nil {
		return *v.choices
	}
	return choicesOf(content.Compile(v.Spec.Message))
}

func countVariants(shares []content.Share, b campaign.Books) []VariantCount {
	var all []VariantCount
	names := slices.Sorted(maps.Keys(b.Variants))
	for _, share := range shares {
		all = append(all, VariantCount{Name: share.Variant, Percent: share.Percent, HeldOut: share.HeldOut})
		names = slices.DeleteFunc(names, func(name string) bool { return name == share.Variant })
	}
	for i, name := range names { // of an earlier message, before the hold-out group
		all = slices.Insert(all, i, VariantCount{Name: name})
	}
	if len(all) == 0 {
		return nil
	}
	rest := sumsOfEnded(b)
	for i := range all {
		if n := &all[i]; n.HeldOut {
			n.Others, n.Recipients = b.HeldOut, b.HeldOut
		} else {
			n.OutcomeSums = sumsOf(b.Variants[n.Name])
		}
		rest.subtract(all[i].OutcomeSums)
	}
	if rest.Recipients > 0 {
		all = append(all, VariantCount{OutcomeSums: rest})
	}
	return all
}

func countLanguages(locales []string, b campaign.Books) []LanguageCount {
	names := append([]string{""}, locales...)
	for _, name := range slices.Sorted(maps.Keys(b.Locales)) {
		if !slices.Contains(names, name) { // of an earlier message
			names = append(names, name)
		}
	}
	if len(names) == 1 && len(b.Locales) == 0 {
		return nil
	}
	all, rest := make([]LanguageCount, len(names)), sumsOfEnded(b)
	for i, name := range names {
		all[i] = LanguageCount{Locale: name, OutcomeSums: sumsOf(b.Locales[name])}
		rest.subtract(all[i].OutcomeSums)
	}
	if rest.Recipients > 0 {
		all = append(all, LanguageCount{None: true, OutcomeSums: rest})
	}
	return all
}

func sumsOfEnded(b campaign.Books) OutcomeSums {
	return OutcomeSums{b.CountEnded(), b.Sent, b.Failed, b.CountEnded() - b.Sent - b.Failed}
}

func sumsOf(counts campaign.StatusCounts) OutcomeSums {
	n := OutcomeSums{Sent: counts[notification.StatusSent], Failed: counts[notification.StatusFailed]}
	for _, count := range counts {
		n.Recipients += count
	}
	n.Others = n.Recipients - n.Sent - n.Failed
	return n
}

func (n *OutcomeSums) subtract(other OutcomeSums) {
	n.Recipients -= other.Recipients
	n.Sent -= other.Sent
	n.Failed -= other.Failed
	n.Others -= other.Others
}
