package dispatcher

import (
	"context"
	"errors"

	"fanfare/internal/campaign"
	"fanfare/internal/content"
	"fanfare/internal/notification"
	"fanfare/internal/profiles"
	"fanfare/internal/queue"
)

// fillMessages picks the text of each recipient and fills its placeholders: from the element, then
// from profiles where needed.
func (p *preparer) fillMessages(fetch context.Context, in []*delivery) []*delivery {
	if len(in) == 0 || !in[0].lease.camp.content.IsPersonal() {
		return in
	}
	return p.withProfiles(fetch, in, findValues(), func(dl *delivery, profile profiles.Profile) bool {
		end := dl.fill(profile)
		if end != nil {
			p.end(dl, end)
		}
		return end == nil
	})
}

// findValues returns a function that finds the values of one delivery after the other, and reports
// whether it needs a profile. Devices of one user follow each other, and share the values.
func findValues() func(*delivery) bool {
	var (
		group *deviceGroup
		known []content.Values
	)
	return func(dl *delivery) (needs bool) {
		g := dl.group()
		if g == nil || g != group {
			group, known = g, known[:0]
		}
		dl.values, needs = dl.lease.camp.content.FindValues(dl.person(), known)
		if g != nil {
			known = append(known, dl.values)
		}
		return needs
	}
}

// withProfiles calls use for each delivery, with the profile of those that need one, and returns
// those for which it is true. Recipients are deferred while their profile cannot be looked up.
func (p *preparer) withProfiles(fetch context.Context, in []*delivery, needs func(*delivery) bool, use func(*delivery, profiles.Profile) bool) []*delivery {
	var ids []string
	asked := make([]bool, len(in))
	for i, dl := range in {
		if asked[i] = needs(dl); asked[i] {
			ids = append(ids, dl.recipient.UserID)
		}
	}
	known, err := p.lookupProfiles(fetch, ids)
	paused := p.pauser.pauseIfRefused(fetch, in[0].lease.camp, err)
	if err != nil && fetch.Err() == nil && !paused {
		p.log.Warn("profile lookup failed; recipients deferred", "error", err, "wait", p.retry.Outage)
	}
	out := in[:0]
	for i, dl := range in {
		if asked[i] && profiles.IsUndecided(err, dl.recipient.UserID) {
			if paused {
				p.handBack(dl)
			} else {
				p.postpone(fetch, dl, p.retry.Outage)
			}
			continue
		}
		if use(dl, known[dl.recipient.UserID]) {
			out = append(out, dl)
		}
	}
	return out
}

func (p *preparer) lookupProfiles(fetch context.Context, ids []string) (map[string]profiles.Profile, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return p.profiles.Lookup(fetch, ids)
}

// person is the user that the message is filled in for.
func (d *delivery) person() content.Person {
	return content.Person{Campaign: d.lease.camp.id, User: d.recipient.UserID, Locale: d.recipient.Locale, UserLocale: d.recipient.UserLocale, Vars: d.recipient.Vars}
}

// language is that of the recipient's text, "" for the base. Before the text is picked, it is the
// one of the element's locale.
func (d *delivery) language() string {
	c := d.lease.camp.content
	if d.isPicked || !c.HasLocales() {
		return d.locale
	}
	return c.Pick(d.lease.camp.id, d.recipient.UserID, d.recipient.Locale, d.recipient.UserLocale).Locale
}

// hasBadLocale reports whether the locale of the element, or of a device, names no language.
func (d *delivery) hasBadLocale() bool {
	g := d.group()
	return g != nil && g.badLocale || d.lease.camp.content.HasBadLocale(d.recipient.Locale, d.recipient.UserLocale)
}

// recordChoice names the variant and the language of a recipient that has ended, and adds the notes
// that count them.
func (d *delivery) recordChoice(r *notification.Result, notes []queue.Note) []queue.Note {
	c := d.lease.camp.content
	if r.Variant = c.VariantOf(r.CampaignID, r.UserID); r.Variant != "" {
		notes = append(notes, queue.Note{Name: campaign.NoteOfVariant(r.Variant, r.Status), N: 1})
	}
	if !c.HasLocales() || r.UserID == "" || r.ErrorCode == notification.CodeHoldout {
		return notes
	}
	if d.group() == nil {
		r.Locale = d.language()
	}
	if d.hasBadLocale() {
		notes = append(notes, queue.Note{Name: campaign.NoteBadLocale, N: 1})
	}
	return append(notes, queue.Note{Name: campaign.NoteOfLocale(r.Locale, r.Status), N: 1})
}

// isHeldOut reports whether the user is in the campaign's hold-out group. A user who was
// sent to before the campaign had one is not.
func (d *delivery) isHeldOut() bool {
	return d.element.Lost == 0 && d.element.Attempts == 0 && d.lease.camp.content.IsHeldOut(d.lease.camp.id, d.recipient.UserID)
}

// fill builds one recipient's message. It returns a result if that is impossible.
func (d *delivery) fill(profile profiles.Profile) *notification.Result {
	var err error
	d.message, d.locale, err = d.lease.camp.content.FillWith(d.person(), d.values, profile)
	d.isPicked, d.values = true, content.Values{}
	if err == nil {
		return nil
	}
	if _, unfilled := errors.AsType[*content.UnfilledError](err); unfilled {
		return d.result(notification.StatusSkipped, notification.CodeUnfilled, err.Error())
	}
	if _, tooLarge := errors.AsType[*content.TooLargeError](err); tooLarge {
		return d.result(notification.StatusFailed, notification.CodeTooLarge, err.Error())
	}
	return d.result(notification.StatusFailed, notification.CodeInvalidValue, err.Error())
}
