package operator

import (
	"maps"
	"slices"

	"fanfare/internal/campaign"
	"fanfare/internal/content"
	"fanfare/internal/notification"
)

// VariantCount is what became of the users of one variant.
type VariantCount struct {
	Name string `json:"name"`
	// Percent is how many of 100 users get the variant; 0 if the message does not say.
	Percent int `json:"percent,omitempty"`
	// HeldOut marks the hold-out group, which gets nothing. Its Name is empty.
	HeldOut bool `json:"heldOut,omitempty"`
	// Recipients is the sum of Sent, Failed and Others.
	Recipients int64 `json:"recipients"`
	Sent       int64 `json:"sent"`
	Failed     int64 `json:"failed"`
	Others     int64 `json:"others"`
}

// Variants returns the outcomes of each variant, then those of the hold-out group. Recipients of
// neither come last, with an empty Name (Books.WithoutVariant). The sum is all
// ended recipients. It returns nil for a message without variants and hold-out group.
func (v View) Variants() []VariantCount { return countVariants(v.readChoices().shares, v.Books) }

// Variants returns the outcomes of each variant, as View.Variants does, and the books that they are
// part of. If Redis has forgotten the campaign they are those in SQL, which has no weights.
func (r *Report) Variants() ([]VariantCount, campaign.Books) {
	if r.View != nil {
		return r.View.Variants(), r.View.Books
	}
	var b campaign.Books
	for _, n := range r.variants {
		switch n.Status {
		case notification.StatusSent:
			b.Sent += n.N
		case notification.StatusFailed:
			b.Failed += n.N
		case notification.StatusSkipped:
			b.Skipped += n.N
		case notification.StatusExpired:
			b.Expired += n.N
		default:
			b.Unknown += n.N
		}
		switch {
		case n.HeldOut:
			b.HeldOut += n.N
		case n.Variant != "":
			b.AddVariant(n.Variant, n.Status, n.N)
		}
	}
	var shares []content.Share
	if b.HeldOut > 0 {
		shares = append(shares, content.Share{HeldOut: true})
	}
	return countVariants(shares, b), b
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
	rest := VariantCount{Recipients: b.CountEnded(), Sent: b.Sent, Failed: b.Failed}
	for i := range all {
		all[i].count(b)
		rest.Recipients -= all[i].Recipients
		rest.Sent -= all[i].Sent
		rest.Failed -= all[i].Failed
	}
	if rest.Others = rest.Recipients - rest.Sent - rest.Failed; rest.Recipients > 0 {
		all = append(all, rest)
	}
	return all
}

// count sets the figures from the books.
func (n *VariantCount) count(b campaign.Books) {
	if n.HeldOut {
		n.Others, n.Recipients = b.HeldOut, b.HeldOut
		return
	}
	for status, count := range b.Variants[n.Name] {
		n.Recipients += count
		switch status {
		case notification.StatusSent:
			n.Sent = count
		case notification.StatusFailed:
			n.Failed = count
		default:
			n.Others += count
		}
	}
}
