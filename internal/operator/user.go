package operator

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
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
	// Removed are the copies of addresses that were removed as dead, the last removed first.
	Removed    []tokens.RemovedToken
	RemovedErr error
	// Caps are the caps, each with the pushes of the user that count now; nil without caps.
	Caps    []caps.Usage
	CapsErr error
	// Suppressed reports whether the user gets no push from any campaign.
	Suppressed    bool
	SuppressedErr error // why that is unknown
	// Outcomes are the newest of all campaigns. More reports that there are others.
	Outcomes    []notification.Result
	More        bool
	OutcomesErr error // why they are unknown
	// Recorded reports whether there is a database with outcomes.
	Recorded bool
	// Unwritten counts the results of all users that are not in SQL yet. Outcomes of this one may
	// be among them.
	Unwritten int64
}

// User reads what is known of a user, and changes nothing. A source that cannot be asked hides
// nothing of the others, and delays them by sqlTimeout at most. An error is about the outcomes.
func (o *Operator) User(ctx context.Context, id string, limit int) (User, error) {
	u := User{ID: id, Recorded: o.deps.Records != nil}
	var (
		found      map[string][]notification.Device
		known      map[string]profiles.Profile
		suppressed map[string]bool
		outcomes   []notification.Result
	)
	errs := o.askTogether(ctx,
		func(ctx context.Context) (err error) { found, err = o.deps.Tokens.Peek(ctx, []string{id}); return },
		func(ctx context.Context) (err error) { known, err = o.deps.Profiles.Peek(ctx, []string{id}); return },
		func(ctx context.Context) (err error) { u.Removed, err = o.removedOf(ctx, id); return },
		func(ctx context.Context) (err error) { u.Caps, err = o.capsOf(ctx, id); return },
		func(ctx context.Context) (err error) {
			suppressed, err = o.deps.Suppressed.Find(ctx, []string{id})
			return
		},
		func(ctx context.Context) (err error) { outcomes, err = o.outcomesOf(ctx, id, limit+1); return },
	)
	u.TokenErr, u.ProfileErr, u.RemovedErr = sourceProblem(errs[0]), sourceProblem(errs[1]), errs[2]
	u.CapsErr, u.SuppressedErr, u.OutcomesErr = errs[3], errs[4], errs[5]
	u.Devices, u.Token, u.Profile, u.Suppressed = found[id], tokens.Newest(found[id]), known[id], suppressed[id]
	u.More = len(outcomes) > limit
	u.Outcomes = outcomes[:min(len(outcomes), limit)]
	if u.Recorded {
		u.Unwritten, _ = o.waitingResults(ctx) // a remark beside the outcomes
	}
	return u, u.OutcomesErr
}

// outcomesOf returns the newest outcomes of a user; none without a database.
func (o *Operator) outcomesOf(ctx context.Context, id string, limit int) ([]notification.Result, error) {
	if o.deps.Records == nil {
		return nil, nil
	}
	return o.deps.Records.UserDeliveries(ctx, id, limit)
}

// removedOf returns the removed addresses of a user, the last removed first.
func (o *Operator) removedOf(ctx context.Context, id string) (all []tokens.RemovedToken, err error) {
	err = o.deps.Tokens.VisitRemoved(ctx, tokens.Filter{Users: []string{id}}, func(some []tokens.RemovedToken) error {
		all = append(all, some...)
		return nil
	})
	slices.SortFunc(all, func(a, b tokens.RemovedToken) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Token.Value, b.Token.Value))
	})
	return all, err
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

// DeviceView is the JSON of a device. Its address is shortened unless the view is revealed.
type DeviceView struct {
	Address  string    `json:"address"`
	Kind     string    `json:"kind"` // "token" or "fid"
	Platform string    `json:"platform,omitempty"`
	Locale   string    `json:"locale,omitempty"`
	LastSeen time.Time `json:"lastSeen,omitzero"`
	Problem  string    `json:"problem,omitempty"` // why it is never sent to
}

// DeviceViews are the devices that a push would use, the last used first.
func (v UserView) DeviceViews() []DeviceView {
	var all []DeviceView
	for _, d := range v.Devices {
		all = append(all, DeviceView{v.AddressText(d), KindOf(d.Target), d.Platform, d.Locale, d.LastSeen, d.Target.Problem()})
	}
	return all
}

// KindOf returns "fid" for an installation ID, else "token".
func KindOf(address notification.Target) string {
	if address.Kind == notification.TargetFID {
		return "fid"
	}
	return "token"
}

// RemovedView is the JSON of a removed address, which is never written in full.
type RemovedView struct {
	Address  string    `json:"address"`
	Kind     string    `json:"kind"` // "token" or "fid"
	Campaign string    `json:"campaignId,omitempty"`
	At       time.Time `json:"at"`
}

// CapView is the JSON of a cap of a user.
type CapView struct {
	Cap         string    `json:"cap"` // such as "4 in 2d"
	Used        int       `json:"used"`
	FreesAt     time.Time `json:"freesAt,omitzero"`     // when the next push may go; absent: now
	OldestUntil time.Time `json:"oldestUntil,omitzero"` // when the oldest push stops counting
}

// CapViews are the caps, each with the pushes of the user that count now.
func (u User) CapViews() []CapView {
	var all []CapView
	for _, each := range u.Caps {
		all = append(all, CapView{each.Cap.String(), each.Used, each.FreesAt, each.OldestUntil})
	}
	return all
}

// RemovedViews are the copies of removed addresses, the last removed first.
func (u User) RemovedViews() []RemovedView {
	var all []RemovedView
	for _, r := range u.Removed {
		all = append(all, RemovedView{r.Token.String(), KindOf(r.Token), r.Campaign, r.At})
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
	return json.Marshal(struct {
		UserID       string                `json:"userId"`
		Token        string                `json:"fcmToken,omitempty"`
		Revealed     bool                  `json:"revealed"`
		TokenProblem string                `json:"tokenProblem,omitempty"`
		TokenError   string                `json:"tokenError,omitempty"`
		Devices      []DeviceView          `json:"devices,omitempty"`
		Profile      profiles.Profile      `json:"profile,omitempty"`
		ProfileError string                `json:"profileError,omitempty"`
		Removed      []RemovedView         `json:"removed,omitempty"`
		RemovedError string                `json:"removedError,omitempty"`
		Suppressed   bool                  `json:"suppressed"`
		Unknown      string                `json:"suppressedError,omitempty"`
		Caps         []CapView             `json:"caps,omitempty"`
		CapsError    string                `json:"capsError,omitempty"`
		Recorded     bool                  `json:"recorded"`
		Outcomes     []notification.Result `json:"outcomes"`
		OutcomesErr  string                `json:"outcomesError,omitempty"`
		More         bool                  `json:"more"`
		Unwritten    int64                 `json:"unwritten,omitempty"`
	}{
		v.ID, v.TokenText(), v.Reveal, v.Token.Problem(), text(v.TokenErr), v.DeviceViews(), v.Profile, text(v.ProfileErr), v.RemovedViews(), text(v.RemovedErr),
		v.Suppressed, text(v.SuppressedErr), v.CapViews(), text(v.CapsErr), v.Recorded, append([]notification.Result{}, v.Outcomes...), text(v.OutcomesErr), v.More, v.Unwritten,
	})
}
