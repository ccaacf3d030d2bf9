// Package keys builds the name of every key in Redis. No key name is put together elsewhere.
package keys

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// MaxID is the longest campaign id in bytes.
const MaxID = 512

// Names builds every key of Fanfare from the prefixes that the operator may set.
type Names struct {
	CampaignPrefix string // campaign:<id> is the producer's list
	UserPrefix     string // with UserSuffix: user:<id>:token is the user's registration token
	UserSuffix     string
	ProfilePrefix  string // profile:<id> is the user's profile
	Responses      string // the list of results
}

// Default are the names of the contract.
func Default() Names {
	return Names{
		CampaignPrefix: "campaign:",
		UserPrefix:     "user:",
		UserSuffix:     ":token",
		ProfilePrefix:  "profile:",
		Responses:      "notification:responses",
	}
}

// Validate refuses names that are empty, that hash to a slot of their own, or that two kinds of key would share. An error begins with
// the name of the setting.
func (n Names) Validate() error {
	for _, name := range []struct{ what, value string }{
		{"campaign_prefix", n.CampaignPrefix}, {"user_prefix", n.UserPrefix},
		{"profile_prefix", n.ProfilePrefix}, {"responses", n.Responses},
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
		return fmt.Errorf("campaign_prefix %q is used for users too", n.CampaignPrefix)
	case n.UserPrefix == n.ProfilePrefix:
		return fmt.Errorf("profile_prefix %q is that of tokens too", n.ProfilePrefix)
	case strings.HasPrefix(n.Responses, n.CampaignPrefix):
		return fmt.Errorf("responses %q begins as campaigns do, with %q", n.Responses, n.CampaignPrefix)
	}
	return nil
}

// Campaign is the list of a campaign. The error is an *IDError when the id cannot name one: see checkID.
func (n Names) Campaign(id string) (List, error) {
	l := NewList(n.CampaignPrefix + id)
	if problem := n.checkID(id, l); problem != "" {
		return List{}, &IDError{ID: id, Problem: problem}
	}
	return l, nil
}

// Campaigns is the pattern that a scan finds every producer's list with, and other keys: see ParseCampaign.
func (n Names) CampaignPattern() string { return GlobLiteral(n.CampaignPrefix) + "*" }

// ParseCampaign reads the id out of a key that a scan found. It is false for keys that are no producer's list.
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

// checkID says why an id cannot name a campaign; "" when it can. Keys that belong to another campaign, and ids for
// which no key of ours could be in the list's slot, are refused.
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

// CampaignResponses is a key of the application's, which clean-up removes and nothing reads.
func (n Names) CampaignResponses(id string) string { return n.CampaignPrefix + id + responsesSuffix }

// ResponsesList is the list that results wait in for the responder.
func (n Names) ResponsesList() List { return NewList(n.Responses) }

// Registry is the set of all campaign ids that were created through Fanfare.
func (n Names) Registry() string { return NewList(n.CampaignPrefix).Key(SuffixRegistry) }

// ScratchKey may be written to find out whether Redis permits it.
func (n Names) ScratchKey() string { return n.Registry() + ":check" }

// Projects is the set of the Firebase projects that send the campaigns of this prefix.
func (n Names) Projects() string { return NewList(n.CampaignPrefix).Key(SuffixProjects) }

// Token is where a user's registration token is stored.
func (n Names) Token(user string) string { return n.UserPrefix + user + n.UserSuffix }

// NoToken is the short-lived mark of a user known to have no token. It is in the slot of Token, unless the id
// holds a } without a {tag}.
func (n Names) NoToken(user string) string { return NewList(n.Token(user)).Key(suffixNone) }

// Profile is where a user's profile is cached.
func (n Names) Profile(user string) string { return n.ProfilePrefix + user }

// NoProfile is the short-lived mark of a user known to have no profile; its slot is as with NoToken.
func (n Names) NoProfile(user string) string { return NewList(n.Profile(user)).Key(suffixNone) }

// IDError tells why an id cannot name a campaign.
type IDError struct {
	ID      string
	Problem string
}

func (e *IDError) Error() string { return fmt.Sprintf("campaign id %q %s", e.ID, e.Problem) }

const suffixRemoved = "removed"

// RemovedToken keeps, for some time, the token that was proven dead and taken away from a user. Its slot is that of NoToken.
func (n Names) RemovedToken(user string) string { return NewList(n.Token(user)).Key(suffixRemoved) }

// TokenKeysTogether tells whether Token is in the Cluster slot of NoToken and RemovedToken, so that one script may
// touch all three. It is false for ids that hold a } without a {tag}.
func (n Names) TokenKeysShareSlot(user string) bool {
	return HashTag(n.Token(user)) == HashTag(n.RemovedToken(user))
}

// RemovedTokens is the pattern that a scan finds every RemovedToken with, and perhaps other keys: see ParseRemovedToken.
func (n Names) RemovedTokenPattern() string {
	return "*" + GlobLiteral(n.UserPrefix) + "*" + GlobLiteral(n.UserSuffix) + "*:" + suffixRemoved
}

// ParseRemovedToken reads the user id out of a RemovedToken key. It is false for all other keys.
func (n Names) ParseRemovedToken(key string) (user string, ok bool) {
	head, ok := strings.CutSuffix(key, ":"+suffixRemoved)
	if !ok {
		return "", false
	}
	if strings.HasPrefix(head, "{") && strings.HasSuffix(head, "}") {
		if user, ok := n.parseToken(head[1 : len(head)-1]); ok && n.RemovedToken(user) == key {
			return user, true
		}
	}
	user, ok = n.parseToken(head)
	return user, ok && n.RemovedToken(user) == key
}

// parseToken reads the user id out of a Token key.
func (n Names) parseToken(key string) (user string, ok bool) {
	user, ok = strings.CutPrefix(key, n.UserPrefix)
	if !ok {
		return "", false
	}
	return strings.CutSuffix(user, n.UserSuffix)
}

// GlobLiteral escapes what a MATCH pattern would read as a wildcard.
func GlobLiteral(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`).Replace(s)
}
