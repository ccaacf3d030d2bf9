package operator

import (
	"context"

	"fanfare/internal/campaign"
	"fanfare/internal/content"
	"fanfare/internal/notification"
	"fanfare/internal/profiles"
)

// FilledMessage is a campaign's message as one user gets it.
type FilledMessage struct {
	User string
	// Template is the message with FCM's field names, before placeholders are filled in.
	Template notification.Message
	// Message is the message with all placeholders filled in; nil if Err is set.
	Message notification.Message
	Profile profiles.Profile
	// Variant and Locale name what was picked for the user. They are empty for a message without
	// variants, and for the base language.
	Variant, Locale string
	// HeldOut reports whether the user is in the hold-out group, which gets nothing.
	HeldOut bool
	// Err says why the user would get nothing: a placeholder without a value, or a profile that
	// cannot be looked up.
	Err error

	campaign     string
	lacksProfile bool // it cannot be looked up
	compiled     *content.Content
	filled       *content.Message // nil: not filled in
}

// FillFor fills a campaign's message for a user, from the profile and the defaults. The columns of
// an audience are not known here. Without a user nothing is filled in. It changes nothing.
func (o *Operator) FillFor(ctx context.Context, spec campaign.Spec, user string) (FilledMessage, error) {
	out := FilledMessage{User: user, campaign: spec.ID, Template: content.Canonical(spec.Message)}
	var err error
	if out.compiled, err = content.Compile(spec.Message); err != nil {
		return out, &MessageError{ID: spec.ID, Faults: notification.FaultsOf(err)}
	}
	if user == "" {
		return out, nil
	}
	if out.compiled.IsPersonal() {
		known, err := o.deps.Profiles.Peek(ctx, []string{user})
		if err != nil {
			out.Err, out.lacksProfile = sourceProblem(err), true
			return out, nil
		}
		out.Profile = known[user]
	}
	out.fill("")
	return out, nil
}

// FillForNewest is FillFor in the language of the device that the user used last.
func (o *Operator) FillForNewest(ctx context.Context, spec campaign.Spec, user string) (FilledMessage, error) {
	filled, err := o.FillFor(ctx, spec, user)
	if err != nil || user == "" || !filled.compiled.HasLocales() {
		return filled, err
	}
	stored, err := o.deps.Tokens.Peek(ctx, []string{user})
	if err != nil {
		filled.Err, filled.Message = sourceProblem(err), nil
		return filled, nil
	}
	if devices := stored[user]; len(devices) > 0 {
		return filled.forDevice(devices[0].Locale), nil
	}
	return filled, nil
}

// fill picks the user's text and fills it in. locale is the device's. It goes before the
// profile's.
func (f *FilledMessage) fill(locale string) {
	pick := f.compiled.PickFor(content.Person{Campaign: f.campaign, User: f.User, Locale: locale}, f.Profile)
	f.Variant, f.Locale, f.HeldOut, f.Message = pick.Variant, pick.Locale, pick.HeldOut, nil
	if f.filled, f.Err = pick.Content.Fill(nil, f.Profile); f.Err == nil {
		f.Message = f.filled.Text()
	}
}

// forDevice returns the message in the language of one device. Without a user, placeholders take
// their defaults.
func (f FilledMessage) forDevice(locale string) FilledMessage {
	switch {
	case f.User == "":
		f.filled, f.Err = f.compiled.Fill(nil, nil)
	case locale != "" && !f.lacksProfile:
		f.fill(locale)
	}
	return f
}
