package preflight

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

// candidate is a recipient with a message of their own and a token to send it to.
type candidate struct {
	user    string
	target  notification.Target
	message *fcm.Message
}

// audienceSample is a part of the audience, sorted by what would happen to each recipient before a
// push.
type audienceSample struct {
	ready      []candidate
	sizes      []int
	read       int // recipients that could be read
	malformed  []error
	tokenless  int
	invalid    []error        // why a stored value cannot be a token
	unfilled   map[string]int // by placeholder
	tooLarge   int
	unparsable []error // why a filled message cannot be read
	lookupErr  error   // why some could not be looked up
	undecided  int
}

// prepare looks up tokens and profiles, and fills the messages. It changes nothing.
func (c *Checker) prepare(ctx context.Context, s compiledMessage, sample campaign.Sample) (audienceSample, error) {
	a := audienceSample{read: len(sample.Recipients), malformed: sample.Malformed, unfilled: map[string]int{}}
	targets, targetsErr := c.peekTokens(ctx, sample.Recipients)
	known, profilesErr := c.peekProfiles(ctx, s, sample.Recipients)
	if err := ctx.Err(); err != nil {
		return a, err
	}
	a.lookupErr = errors.Join(targetsErr, profilesErr)
	for _, r := range sample.Recipients {
		if stored := targets[r.UserID]; !r.Target.IsSendable() && !stored.IsZero() {
			r.Target = stored
		}
		switch personal := s.template.IsPersonal() && !s.template.IsFilledBy(r.Vars); {
		case !r.Target.IsSendable() && tokens.IsUndecided(targetsErr, r.UserID), personal && profiles.IsUndecided(profilesErr, r.UserID):
			a.undecided++
			continue
		case r.Target.IsZero():
			a.tokenless++
		case !r.Target.IsSendable():
			a.invalid = append(a.invalid, errors.New(r.Target.Problem()))
		}
		a.fill(s, r, known[r.UserID])
	}
	return a, nil
}

func (c *Checker) peekTokens(ctx context.Context, recipients []notification.Recipient) (map[string]notification.Target, error) {
	var ask []string
	for _, r := range recipients {
		if !r.Target.IsSendable() {
			ask = append(ask, r.UserID)
		}
	}
	if len(ask) == 0 {
		return nil, nil
	}
	return c.deps.Tokens.Peek(ctx, ask)
}

func (c *Checker) peekProfiles(ctx context.Context, s compiledMessage, recipients []notification.Recipient) (map[string]profiles.Profile, error) {
	var ask []string
	for _, r := range recipients {
		if !s.template.IsFilledBy(r.Vars) {
			ask = append(ask, r.UserID)
		}
	}
	if len(ask) == 0 {
		return nil, nil
	}
	return c.deps.Profiles.Peek(ctx, ask)
}

// fill fills in one recipient's message. It measures the message even if the recipient has no
// token.
func (a *audienceSample) fill(s compiledMessage, r notification.Recipient, profile profiles.Profile) {
	message := s.message
	if s.template.IsPersonal() {
		text, err := s.template.Fill(r.Vars, profile)
		if unfilled, ok := errors.AsType[*profiles.UnfilledError](err); ok {
			a.unfilled[unfilled.Name]++
			return
		}
		message, err = fcm.ParseFilled(text)
		if _, large := errors.AsType[*notification.Fault](err); large {
			a.tooLarge++
			return
		}
		if err != nil {
			a.unparsable = append(a.unparsable, err)
			return
		}
	}
	a.sizes = append(a.sizes, message.Size())
	if r.Target.IsSendable() {
		a.ready = append(a.ready, candidate{r.UserID, r.Target, message})
	}
}

// countUnfilled counts the recipients without a value, and names the placeholders.
func (a *audienceSample) countUnfilled() (n int, names string) {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(a.unfilled)) {
		n += a.unfilled[name]
		all = append(all, fmt.Sprintf("{{%s}}", name))
	}
	return n, strings.Join(all, ", ")
}

// Sizes are those of the filled messages in bytes, without their targets. Limit is the most that
// FCM accepts.
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
