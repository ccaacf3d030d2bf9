package operator

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
	"fanfare/internal/notification"
	"fanfare/internal/profiles"
	"fanfare/internal/tokens"
)

// player is a recipient with a message of their own and a token to send it to.
type player struct {
	user    string
	target  notification.Target
	message *fcm.Message
}

// cast is a sample of the audience, sorted by what would become of it before anything is sent.
type cast struct {
	ready     []player
	sizes     []int
	read      int // recipients that could be read
	malformed []error
	tokenless int
	invalid   []error        // why what stands for a token can be none
	unfilled  map[string]int // by placeholder
	tooLarge  int
	broken    []error // what a value made of the message
	unlooked  error   // why some could not be looked up
	undecided int
}

// cast looks tokens and profiles up, without a trace, and fills the messages.
func (o *Operator) cast(ctx context.Context, s script, sample campaign.Sample) (cast, error) {
	c := cast{read: len(sample.Recipients), malformed: sample.Malformed, unfilled: map[string]int{}}
	targets, targetsErr := o.peekTokens(ctx, sample.Recipients)
	known, profilesErr := o.peekProfiles(ctx, s, sample.Recipients)
	if err := ctx.Err(); err != nil {
		return c, err
	}
	c.unlooked = errors.Join(targetsErr, profilesErr)
	for _, r := range sample.Recipients {
		if stored := targets[r.UserID]; !r.Target.IsSendable() && !stored.IsZero() {
			r.Target = stored
		}
		switch personal := s.template.Personal() && !s.template.FilledBy(r.Vars); {
		case !r.Target.IsSendable() && tokens.Undecided(targetsErr, r.UserID), personal && profiles.Undecided(profilesErr, r.UserID):
			c.undecided++
			continue
		case r.Target.IsZero():
			c.tokenless++
		case !r.Target.IsSendable():
			c.invalid = append(c.invalid, errors.New(r.Target.Problem()))
		}
		c.fill(s, r, known[r.UserID])
	}
	return c, nil
}

func (o *Operator) peekTokens(ctx context.Context, recipients []notification.Recipient) (map[string]notification.Target, error) {
	var ask []string
	for _, r := range recipients {
		if !r.Target.IsSendable() {
			ask = append(ask, r.UserID)
		}
	}
	if len(ask) == 0 {
		return nil, nil
	}
	return o.deps.Tokens.Peek(ctx, ask)
}

func (o *Operator) peekProfiles(ctx context.Context, s script, recipients []notification.Recipient) (map[string]profiles.Profile, error) {
	var ask []string
	for _, r := range recipients {
		if !s.template.FilledBy(r.Vars) {
			ask = append(ask, r.UserID)
		}
	}
	if len(ask) == 0 {
		return nil, nil
	}
	return o.deps.Profiles.Peek(ctx, ask)
}

// fill writes one recipient's message. Whoever has no token is measured all the same.
func (c *cast) fill(s script, r notification.Recipient, profile profiles.Profile) {
	message := s.message
	if s.template.Personal() {
		text, err := s.template.Fill(r.Vars, profile)
		if unfilled, ok := errors.AsType[*profiles.UnfilledError](err); ok {
			c.unfilled[unfilled.Name]++
			return
		}
		message, err = fcm.ParseFilled(text)
		if _, large := errors.AsType[*notification.Fault](err); large {
			c.tooLarge++
			return
		}
		if err != nil {
			c.broken = append(c.broken, err)
			return
		}
	}
	c.sizes = append(c.sizes, message.Size())
	if r.Target.IsSendable() {
		c.ready = append(c.ready, player{r.UserID, r.Target, message})
	}
}

// missing counts who lacks a value, and names the placeholders.
func (c *cast) missing() (n int, names string) {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(c.unfilled)) {
		n += c.unfilled[name]
		all = append(all, fmt.Sprintf("{{%s}}", name))
	}
	return n, strings.Join(all, ", ")
}

// Sizes are those of the filled messages in bytes, without their targets; FCM takes Limit.
type Sizes struct {
	Min    int `json:"min"`
	Median int `json:"median"`
	Max    int `json:"max"`
	Limit  int `json:"limit"`
}

func sizesOf(sizes []int) Sizes {
	s := Sizes{Limit: fcm.MaxSize}
	if len(sizes) == 0 {
		return s
	}
	slices.Sort(sizes)
	s.Min, s.Median, s.Max = sizes[0], sizes[len(sizes)/2], sizes[len(sizes)-1]
	return s
}
