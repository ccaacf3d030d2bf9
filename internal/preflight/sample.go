package preflight

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/content"
	"fanfare/internal/notification"
	"fanfare/internal/profiles"
	"fanfare/internal/tokens"
)

// candidate is a recipient with a message of their own and a token to send it to.
type candidate struct {
	user    string
	target  notification.Target
	message *content.Message
}

// body is the request for one recipient.
func (c candidate) body(id string) []byte {
	now := time.Now()
	return c.message.AppendRequest(nil, content.Envelope{Target: c.target, Campaign: id, User: c.user}, now)
}

// audienceSample is a part of the audience, sorted by what would happen to each recipient before a
// push.
type audienceSample struct {
	ready      []candidate
	sizes      []int
	read       int // recipients that could be read
	malformed  []error
	suppressed int
	tokenless  int
	invalid    []error        // why a stored value cannot be a token
	unfilled   map[string]int // by placeholder
	tooLarge   int
	unparsable []error // why a filled message cannot be read
	lookupErr  error   // why some could not be looked up
	undecided  int
}

// prepare leaves out suppressed users, looks up tokens and profiles, and fills the messages. It
// changes nothing.
func (c *Checker) prepare(ctx context.Context, id string, message *content.Content, sample campaign.Sample) (audienceSample, error) {
	a := audienceSample{read: len(sample.Recipients), malformed: sample.Malformed, unfilled: map[string]int{}}
	sample.Recipients = slices.DeleteFunc(sample.Recipients, func(r notification.Recipient) bool { return message.IsHeldOut(id, r.UserID) })
	for i, r := range sample.Recipients {
		sample.Recipients[i] = forOneDevice(r)
	}
	if err := c.leaveOutSuppressed(ctx, &a, &sample); err != nil {
		return a, ctx.Err() // the finding says why no one could be looked up
	}
	targets, targetsErr := c.peekTokens(ctx, sample.Recipients)
	known, profilesErr := c.peekProfiles(ctx, id, message, sample.Recipients)
	if err := ctx.Err(); err != nil {
		return a, err
	}
	a.lookupErr = errors.Join(targetsErr, profilesErr)
	for _, r := range sample.Recipients {
		if stored := tokens.Newest(targets[r.UserID]); !r.Target.IsSendable() && !stored.IsZero() {
			r.Target = stored
		}
		switch personal := message.IsPersonal() && message.NeedsProfile(personOf(id, r)); {
		case !r.Target.IsSendable() && tokens.IsUndecided(targetsErr, r.UserID), personal && profiles.IsUndecided(profilesErr, r.UserID):
			a.undecided++
			continue
		case r.Target.IsZero():
			a.tokenless++
		case !r.Target.IsSendable():
			a.invalid = append(a.invalid, errors.New(r.Target.Problem()))
		}
		a.fill(id, message, r, known[r.UserID])
	}
	return a, nil
}

// leaveOutSuppressed counts the suppressed users and removes them from the sample. While they are
// unknown, nothing is known of the others, as no one would be sent to.
func (c *Checker) leaveOutSuppressed(ctx context.Context, a *audienceSample, sample *campaign.Sample) error {
	users := make([]string, len(sample.Recipients))
	for i, r := range sample.Recipients {
		users[i] = r.UserID
	}
	suppressed, err := c.deps.Suppressed.Find(ctx, users)
	if err != nil {
		a.lookupErr, a.undecided = err, len(users)
		return err
	}
	sample.Recipients = slices.DeleteFunc(sample.Recipients, func(r notification.Recipient) bool { return suppressed[r.UserID] })
	a.suppressed = len(users) - len(sample.Recipients)
	return nil
}

// personOf is the user that the message is filled in for.
func personOf(id string, r notification.Recipient) content.Person {
	return content.Person{Campaign: id, User: r.UserID, Locale: r.Locale, UserLocale: r.UserLocale, Vars: r.Vars}
}

// forOneDevice returns a recipient with the first usable one of its devices. A sample needs no
// more.
func forOneDevice(r notification.Recipient) notification.Recipient {
	for _, d := range r.Devices {
		if d.Target.IsSendable() {
			return r.ForDevice(d)
		}
	}
	return r
}

func (c *Checker) peekTokens(ctx context.Context, recipients []notification.Recipient) (map[string][]notification.Device, error) {
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

func (c *Checker) peekProfiles(ctx context.Context, id string, message *content.Content, recipients []notification.Recipient) (map[string]profiles.Profile, error) {
	var ask []string
	for _, r := range recipients {
		if message.NeedsProfile(personOf(id, r)) {
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
func (a *audienceSample) fill(id string, message *content.Content, r notification.Recipient, profile profiles.Profile) {
	filled, _, err := message.FillFor(personOf(id, r), profile)
	if unfilled, ok := errors.AsType[*content.UnfilledError](err); ok {
		a.unfilled[unfilled.Name]++
		return
	}
	if _, large := errors.AsType[*content.TooLargeError](err); large {
		a.tooLarge++
		return
	}
	if err != nil {
		a.unparsable = append(a.unparsable, err)
		return
	}
	a.sizes = append(a.sizes, filled.Size())
	if r.Target.IsSendable() {
		a.ready = append(a.ready, candidate{r.UserID, r.Target, filled})
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
	s := Sizes{Limit: content.MaxSize}
	if len(sizes) == 0 {
		return s
	}
	slices.Sort(sizes)
	s.Min, s.Median, s.Max = sizes[0], sizes[len(sizes)/2], sizes[len(sizes)-1]
	return s
}
