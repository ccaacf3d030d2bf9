package operator

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"fanfare/internal/caps"
	"fanfare/internal/notification"
	"fanfare/internal/profiles"
	"fanfare/internal/tokens"
)

// User is everything that is known of a user.
type User struct {
	ID       string
	Token    notification.Target // as a push would use it
	TokenErr error               // why the token and the devices are unknown
	// Devices are those that a push would use, the last used first. Token is that of the first.
	Devices    []notification.Device
	Profile    profiles.Profile
	ProfileErr error
	// Removed is the copy of a token that was removed as dead, nil if there is none.
	Removed    *tokens.RemovedToken
	RemovedErr error
	// Caps are the caps, each with the pushes of the user that count now; nil without caps.
	Caps    []caps.Usage
	CapsErr error
	// Outcomes are the newest of all campaigns. More reports that there are others.
	Outcomes []notification.Result
	More     bool
	// Recorded reports whether there is a database with outcomes.
	Recorded bool
}

// User reads what is known of a user, and changes nothing. A source that cannot be asked hides
// nothing of the others. An error is about the outcomes.
func (o *Operator) User(ctx context.Context, id string, limit int) (User, error) {
	u := User{ID: id, Recorded: o.deps.Records != nil}
	found, err := o.deps.Tokens.Peek(ctx, []string{id})
	u.Devices, u.Token, u.TokenErr = found[id], tokens.Newest(found[id]), sourceProblem(err)
	known, err := o.deps.Profiles.Peek(ctx, []string{id})
	u.Profile, u.ProfileErr = known[id], sourceProblem(err)
	u.RemovedErr = o.deps.Tokens.VisitRemoved(ctx, tokens.Filter{Users: []string{id}}, func(some []tokens.RemovedToken) error {
		u.Removed = &some[0] // a user has one copy
		return nil
	})
	u.Caps, u.CapsErr = o.capsOf(ctx, id)
	if !u.Recorded {
		return u, nil
	}
	outcomes, err := o.deps.Records.UserDeliveries(ctx, id, limit+1)
	if err != nil {
		return u, err
	}
	u.More = len(outcomes) > limit
	u.Outcomes = outcomes[:min(len(outcomes), limit)]
	return u, nil
}

// capsOf returns how many pushes of a user count against each cap.
func (o *Operator) capsOf(ctx context.Context, id string) ([]caps.Usage, error) {
	if o.deps.Caps == nil {
		return nil, nil
	}
	all, err := o.deps.Caps.Find(ctx, []string{id})
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// sourceProblem returns the cause of a failed lookup, without the users.
func sourceProblem(err error) error {
	if asked, ok := errors.AsType[*tokens.SourceError](err); ok {
		return asked.Err
	}
	return err
}

// HasDevices reports whether more is known than a registration token.
func (u User) HasDevices() bool {
	if len(u.Devices) != 1 {
		return len(u.Devices) > 1
	}
	d := u.Devices[0]
	return d.Target.Kind == notification.TargetFID || d.Platform != "" || d.Locale != "" || !d.LastSeen.IsZero()
}

// deviceView is the JSON of a device. Its address is shortened unless the view is revealed.
type deviceView struct {
	Address  string    `json:"address"`
	Kind     string    `json:"kind"` // "token" or "fid"
	Platform string    `json:"platform,omitempty"`
	Locale   string    `json:"locale,omitempty"`
	LastSeen time.Time `json:"lastSeen,omitzero"`
	Problem  string    `json:"problem,omitempty"` // why it is never sent to
}

func (v UserView) devices() []deviceView {
	var all []deviceView
	for _, d := range v.Devices {
		all = append(all, deviceView{v.AddressText(d), KindOf(d), d.Platform, d.Locale, d.LastSeen, d.Target.Problem()})
	}
	return all
}

// KindOf returns "fid" for a device with an installation ID, else "token".
func KindOf(d notification.Device) string {
	if d.Target.Kind == notification.TargetFID {
		return "fid"
	}
	return "token"
}

// removedView is the JSON of a removed token, which is never written in full.
type removedView struct {
	Token    string    `json:"fcmToken"`
	Campaign string    `json:"campaignId,omitempty"`
	At       time.Time `json:"at"`
}

// capView is the JSON of a cap of a user.
type capView struct {
	Cap     string    `json:"cap"` // such as "4 in 2d"
	Used    int       `json:"used"`
	FreesAt time.Time `json:"freesAt,omitzero"` // when the next push may go; absent: now
}

func (v UserView) caps() (all []capView) {
	for _, u := range v.Caps {
		all = append(all, capView{u.Cap.String(), u.Used, u.FreesAt})
	}
	return all
}

// UserView is a User for people and programs. The token is shortened unless Reveal is set.
type UserView struct {
	User
	Reveal bool
}

// TokenText returns the token as it may be shown.
func (v UserView) TokenText() string {
	if v.Reveal || v.Token.IsZero() {
		return v.Token.Text()
	}
	return v.Token.String()
}

// AddressText returns the address of a device as it may be shown.
func (v UserView) AddressText(d notification.Device) string {
	if v.Reveal {
		return d.Target.Text()
	}
	return d.Target.String()
}

// MarshalJSON writes outcomes in the form of the contract, and empty lists as [].
func (v UserView) MarshalJSON() ([]byte, error) {
	text := func(err error) string {
		if err == nil {
			return ""
		}
		return err.Error()
	}
	var removed *removedView
	if r := v.Removed; r != nil {
		removed = &removedView{Token: r.Token.String(), Campaign: r.Campaign, At: r.At}
	}
	return json.Marshal(struct {
		UserID       string                `json:"userId"`
		Token        string                `json:"fcmToken,omitempty"`
		Revealed     bool                  `json:"revealed"`
		TokenProblem string                `json:"tokenProblem,omitempty"`
		TokenError   string                `json:"tokenError,omitempty"`
		Devices      []deviceView          `json:"devices,omitempty"`
		Profile      profiles.Profile      `json:"profile,omitempty"`
		ProfileError string                `json:"profileError,omitempty"`
		Removed      *removedView          `json:"removedToken,omitempty"`
		Caps         []capView             `json:"caps,omitempty"`
		CapsError    string                `json:"capsError,omitempty"`
		RemovedError string                `json:"removedTokenError,omitempty"`
		Recorded     bool                  `json:"recorded"`
		Outcomes     []notification.Result `json:"outcomes"`
		More         bool                  `json:"more"`
	}{
		v.ID, v.TokenText(), v.Reveal, v.Token.Problem(), text(v.TokenErr), v.devices(), v.Profile, text(v.ProfileErr), removed, v.caps(), text(v.CapsErr), text(v.RemovedErr),
		v.Recorded, append([]notification.Result{}, v.Outcomes...), v.More,
	})
}
