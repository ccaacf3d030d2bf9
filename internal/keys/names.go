// Package keys builds the name of every key in Redis. No other package composes key names.
package keys

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxID is the longest campaign id in bytes.
const MaxID = 512

// Names builds all keys of Fanfare from the prefixes in the settings.
type Names struct {
	CampaignPrefix string // campaign:<id> is the producer's list
	UserPrefix     string // with UserSuffix: user:<id>:token is the registration token
	UserSuffix     string
	DevicesSuffix  string // with UserPrefix: user:<id>:devices is the hash of the user's devices
	ProfilePrefix  string // profile:<id> is the user's profile
	Responses      string // the list of results
	Suppressed     string // the set of the users who get no push
}

// Default returns the names of the contract.
func Default() Names {
	return Names{
		CampaignPrefix: "campaign:",
		UserPrefix:     "user:",
		UserSuffix:     ":token",
		DevicesSuffix:  ":devices",
		ProfilePrefix:  "profile:",
		Responses:      "notification:responses",
		Suppressed:     "{campaign:}:suppressed",
	}
}

// Validate rejects names that are empty, that hash to a slot of their own, or that two kinds of key
// would share. An error begins with the name of the setting.
func (n Names) Validate() error {
	for _, name := range []struct{ what, value string }{
		{"campaign_prefix", n.CampaignPrefix}, {"user_prefix", n.UserPrefix},
		{"profile_prefix", n.ProfilePrefix}, {"responses", n.Responses}, {"suppressed", n.Suppressed},
	} {
		if name.value == "" {
			return fmt.Errorf("%s is empty", name.what)
		}
		if strings.Contains(name.value, "}") && HashTag(name.value) == name.value {
			return fmt.Errorf("%s %q holds a } but no {tag}", name.what, name.value)
		}
	}
	switch {
	case n.CampaignPrefix == n.UserPrefix, n.CampaignPrefix == n.ProfilePrefix:
		return fmt.Errorf("campaign_prefix %q is also the prefix of users or profiles", n.CampaignPrefix)
	case n.UserPrefix == n.ProfilePrefix:
		return fmt.Errorf("profile_prefix %q is also the prefix of tokens", n.ProfilePrefix)
	case n.DevicesSuffix == n.UserSuffix:
		return fmt.Errorf("devices_suffix %q is also the suffix of tokens", n.DevicesSuffix)
	case strings.HasPrefix(n.Responses, n.CampaignPrefix):
		return fmt.Errorf("responses %q begins with the campaign prefix %q", n.Responses, n.CampaignPrefix)
	}
	return n.checkSuppressed()
}

// checkSuppressed rejects a name of the set that another key has, or can get: the list of
// responses, a campaign, a profile, a token or devices.
func (n Names) checkSuppressed() error {
	if n.Suppressed == n.Responses {
		return fmt.Errorf("suppressed %q is also the list of responses", n.Suppressed)
	}
	for _, other := range []struct{ prefix, suffix string }{
		{n.CampaignPrefix, ""}, {n.ProfilePrefix, ""}, {n.UserPrefix, n.UserSuffix}, {n.UserPrefix, n.DevicesSuffix},
	} {
		if strings.HasPrefix(n.Suppressed, other.prefix) && strings.HasSuffix(n.Suppressed, other.suffix) {
			return fmt.Errorf("suppressed %q can be a key %s<id>%s", n.Suppressed, other.prefix, other.suffix)
		}
	}
	return nil
}

// Campaign returns the list of a campaign. The error is an *IDError if the id cannot name one.
func (n Names) Campaign(id string) (List, error) {
	l := NewList(n.CampaignPrefix + id)
	if problem := n.checkID(id, l); problem != "" {
		return List{}, &IDError{ID: id, Problem: problem}
	}
	return l, nil
}

// CampaignPattern is the SCAN pattern that matches every producer's list. It matches other keys
// too: see ParseCampaign.
func (n Names) CampaignPattern() string { return GlobLiteral(n.CampaignPrefix) + "*" }

// ParseCampaign returns the campaign id of a scanned key. ok is false for keys that are no
// producer's list.
func (n Names) ParseCampaign(key string) (id string, ok bool) {
	id, ok = strings.CutPrefix(key, n.CampaignPrefix)
	if !ok {
		return "", false
	}
	if _, err := n.Campaign(id); err != nil {
		return "", false
	}
	return id, true
}

// checkID says why an id cannot name a campaign, or returns "" if it can. It rejects keys of other
// campaigns, and ids whose keys could not share the list's slot.
func (n Names) checkID(id string, l List) string {
	switch {
	case id == "":
		return "is empty"
	case len(id) > MaxID:
		return fmt.Sprintf("is longer than %d bytes", MaxID)
	case !utf8.ValidString(id):
		return "is not valid UTF-8"
	case strings.ContainsRune(id, 0):
		return "holds a NUL"
	case strings.HasSuffix(id, responsesSuffix) || l.plain == n.Responses:
		return "is the name of a list of responses"
	case l.hasOwnTag() && isReserved(l.plain):
		return "is the name of a key that Fanfare keeps for another campaign"
	case !l.hasOwnTag() && strings.Contains(l.plain, "}"):
		return "holds a } but no {tag}, so its keys would be in different cluster slots"
	}
	return ""
}

const responsesSuffix = ":responses"

// CampaignResponses is a key of the application. Clean-up removes it, and nothing reads it.
func (n Names) CampaignResponses(id string) string { return n.CampaignPrefix + id + responsesSuffix }

// ResponsesList is the list of results for the responder.
func (n Names) ResponsesList() List { return NewList(n.Responses) }

// Registry is the set of all campaign ids that were created through Fanfare.
func (n Names) Registry() string { return NewList(n.CampaignPrefix).Key(SuffixRegistry) }

// ScratchKey is a key that checks may write to find out whether Redis permits it.
func (n Names) ScratchKey() string { return n.Registry() + ":check" }

// Projects is the set of the Firebase projects that send the campaigns of this prefix.
func (n Names) Projects() string { return NewList(n.CampaignPrefix).Key(SuffixProjects) }

// Dispatchers lists the running dispatchers of this campaign prefix.
func (n Names) Dispatchers() string { return NewList(n.CampaignPrefix).Key(SuffixDispatchers) }

// Responders lists the running responders of the list of responses.
func (n Names) Responders() string { return n.ResponsesList().Key(SuffixResponders) }

// Histories is the set of the campaigns that are gone and have a history.
func (n Names) Histories() string { return NewList(n.CampaignPrefix).Key(SuffixHistories) }

// Request is the key of a request to the HTTP API that its client may repeat, by the hash of its
// Idempotency-Key.
func (n Names) Request(hash string) string {
	return NewList(n.CampaignPrefix).Key(suffixRequest) + ":" + hash
}

// Caps is one of the hashes of the users who were sent to lately.
func (n Names) Caps(shard int) string {
	return NewList(n.CampaignPrefix).Key(SuffixCaps) + ":" + strconv.Itoa(shard)
}

// Webhooks is the hash of how far the events of each campaign were delivered.
func (n Names) Webhooks() string { return NewList(n.CampaignPrefix).Key(suffixWebhooks) }

// Events is the stream of the events of all campaigns.
func (n Names) Events() string { return NewList(n.CampaignPrefix).Key(suffixEvents) }

// Token is the key of a user's registration token.
func (n Names) Token(user string) string { return n.UserPrefix + user + n.UserSuffix }

// Devices is the hash of a user's devices: addresses with what is known of each.
func (n Names) Devices(user string) string { return n.UserPrefix + user + n.DevicesSuffix }

// NoToken is the short-lived mark of a user without a token. It is in the slot of Token, unless the
// id has a } without a {tag}.
func (n Names) NoToken(user string) string { return NewList(n.Token(user)).Key(suffixNone) }

// Profile is the key of a user's cached profile.
func (n Names) Profile(user string) string { return n.ProfilePrefix + user }

// NoProfile is the short-lived mark of a user without a profile. Its slot is as with NoToken.
func (n Names) NoProfile(user string) string { return NewList(n.Profile(user)).Key(suffixNone) }

// IDError says why an id cannot name a campaign.
type IDError struct {
	ID      string
	Problem string
}

func (e *IDError) Error() string { return fmt.Sprintf("campaign id %q %s", e.ID, e.Problem) }

const (
	suffixRemoved = "removed"
	suffixRequest = "request"

	suffixWebhooks = "webhooks"
	suffixEvents   = "events"
)

// RemovedToken keeps, for some time, the dead token that was removed from a user. It is in the slot
// of NoToken.
func (n Names) RemovedToken(user string) string { return NewList(n.Token(user)).Key(suffixRemoved) }

// TokenKeysShareSlot reports whether Token is in the Cluster slot of NoToken and RemovedToken, so
// that one script may use all three. It is false for ids with a } without a {tag}.
func (n Names) TokenKeysShareSlot(user string) bool {
	return HashTag(n.Token(user)) == HashTag(n.RemovedToken(user))
}

// RemovedDevices keeps, for some time, the dead addresses that were removed from a user's Devices.
func (n Names) RemovedDevices(user string) string { return NewList(n.Devices(user)).Key(suffixRemoved) }

// RemovedPattern is the SCAN pattern that matches every RemovedToken and RemovedDevices key, and
// perhaps others: see ParseRemovedToken and ParseRemovedDevices.
func (n Names) RemovedPattern() string {
	return "*" + GlobLiteral(n.UserPrefix) + "*:" + suffixRemoved
}

// ParseRemovedToken returns the user id of a RemovedToken key. ok is false for all other keys.
func (n Names) ParseRemovedToken(key string) (user string, ok bool) {
	return n.parseRemoved(key, n.UserSuffix, n.RemovedToken)
}

// ParseRemovedDevices returns the user id of a RemovedDevices key. ok is false for all other keys.
func (n Names) ParseRemovedDevices(key string) (user string, ok bool) {
	return n.parseRemoved(key, n.DevicesSuffix, n.RemovedDevices)
}

// parseRemoved returns the user id of a key of removed addresses. name makes these keys.
func (n Names) parseRemoved(key, suffix string, name func(user string) string) (user string, ok bool) {
	head, ok := strings.CutSuffix(key, ":"+suffixRemoved)
	if !ok {
		return "", false
	}
	if strings.HasPrefix(head, "{") && strings.HasSuffix(head, "}") {
		if user, ok := n.parseUser(head[1:len(head)-1], suffix); ok && name(user) == key {
			return user, true
		}
	}
	user, ok = n.parseUser(head, suffix)
	return user, ok && name(user) == key
}

// parseUser returns the user id of a key with the prefix of users and a suffix.
func (n Names) parseUser(key, suffix string) (user string, ok bool) {
	user, ok = strings.CutPrefix(key, n.UserPrefix)
	if !ok {
		return "", false
	}
	return strings.CutSuffix(user, suffix)
}

// GlobLiteral escapes the wildcards of a MATCH pattern.
func GlobLiteral(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`).Replace(s)
}
