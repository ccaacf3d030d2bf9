package fcm

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
)

// identity names the message of a campaign to a user: the tag on Android, the collapse id on iOS. A device that gets the same
// message twice shows it once. It is readable where campaign and user are short and plain, and a hash elsewhere.
func dedupID(campaign, user string) string {
	if id := campaign + ":" + user; len(id) <= maxCollapseID && isPlain(campaign) && isPlain(user) {
		return id
	}
	sum := sha256.Sum256([]byte(strconv.Quote(campaign) + user))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// plain holds for names without a colon, which would make two pairs look alike, and fit for a header.
func isPlain(name string) bool {
	for i := range len(name) {
		c := name[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}
