package fcmsim

import "fmt"

type targetKind uint8

const (
	targetNone targetKind = iota
	targetToken
	targetFID
	targetTopic
	targetCondition
)

// targetKinds by the name of the message's field.
var targetKinds = map[string]targetKind{
	"token": targetToken, "fid": targetFID, "topic": targetTopic, "condition": targetCondition,
}

// field is the path of the target in a request.
func (k targetKind) field() string {
	for name, kind := range targetKinds {
		if kind == k {
			return "message." + name
		}
	}
	return "message"
}

// target is whom a message is for.
type target struct {
	kind  targetKind
	value string
}

// address is the token or installation that a prefix can stand in front of; topics and conditions have none.
func (t target) address() string {
	if t.kind == targetToken || t.kind == targetFID {
		return t.value
	}
	return ""
}

// topic names the topic whose quota a message can exceed; that of a token's message is made up.
func (t target) topic() string {
	if t.kind == targetTopic {
		return t.value
	}
	return "news"
}

func (t target) hash() string { return fmt.Sprintf("%016x", fingerprint(0, t.value)) }
