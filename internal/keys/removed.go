package keys

import "strings"

const suffixRemoved = "removed"

// RemovedToken keeps, for some time, the token that was proven dead and taken away from a user. Its slot is that of NoToken.
func (n Names) RemovedToken(user string) string { return NewList(n.Token(user)).Key(suffixRemoved) }

// TokenKeysTogether tells whether Token is in the Cluster slot of NoToken and RemovedToken, so that one script may
// touch all three. It is false for ids that hold a } without a {tag}.
func (n Names) TokenKeysTogether(user string) bool {
	return HashTag(n.Token(user)) == HashTag(n.RemovedToken(user))
}

// RemovedTokens is the pattern that a scan finds every RemovedToken with, and perhaps other keys: see ParseRemovedToken.
func (n Names) RemovedTokens() string {
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
