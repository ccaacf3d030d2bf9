package fcmsim

import (
	"fmt"
	"strings"
)

type targetKind uint8

const (
	targetNone targetKind = iota
	targetToken
	targetFID
	targetTopic
	targetCondition
)

// targetKinds has the kind for each field of a message that names a target.
var targetKinds = map[string]targetKind{
	"token": targetToken, "fid": targetFID, "topic": targetTopic, "condition": targetCondition,
}

// fieldPath returns the path of the target in a request.
func (k targetKind) fieldPath() string {
	for name, kind := range targetKinds {
		if kind == k {
			return "message." + name
		}
	}
	return "message"
}

// target is the addressee of a message.
type target struct {
	kind  targetKind
	value string
}

// deviceAddress returns the token or installation ID, which can have a prefix. Topics and
// conditions have none.
func (t target) deviceAddress() string {
	if t.kind == targetToken || t.kind == targetFID {
		return t.value
	}
	return ""
}

// installation returns the Firebase Installation ID of the device. Topics and conditions stand for
// themselves.
func (t target) installation() string {
	if t.kind == targetToken {
		return installationOf(t.value)
	}
	return t.value
}

// installationOf returns the Firebase Installation ID that a registration token begins with, and
// any other text as it is.
func installationOf(address string) string {
	fid, _, _ := strings.Cut(address, ":")
	if fid == "" {
		return address
	}
	return fid
}

// topicName returns the topic whose quota is exceeded. A message without a topic gets an invented
// one.
func (t target) topicName() string {
	if t.kind == targetTopic {
		return t.value
	}
	return "news"
}

func (t target) hash() string { return fmt.Sprintf("%016x", fingerprint(0, t.value)) }

// maxConditionTopics is how many topics a condition may have.
const maxConditionTopics = 5

// isCondition reports whether text is a condition such as 'dogs' in topics && ('cats' in topics ||
// !('birds' in topics)).
func isCondition(text string) bool {
	c := condition{rest: text}
	return c.readExpression(0) && c.peek() == "" && c.topics <= maxConditionTopics
}

type condition struct {
	rest   string
	topics int
}

// peek skips white space and returns the rest.
func (c *condition) peek() string {
	c.rest = strings.TrimLeft(c.rest, " \t\r\n")
	return c.rest
}

func (c *condition) take(word string) bool {
	if !strings.HasPrefix(c.peek(), word) {
		return false
	}
	c.rest = c.rest[len(word):]
	return true
}

func (c *condition) readExpression(depth int) bool {
	for {
		if !c.readTerm(depth) {
			return false
		}
		if !c.take("&&") && !c.take("||") {
			return true
		}
	}
}

func (c *condition) readTerm(depth int) bool {
	if depth > maxDepth {
		return false
	}
	if c.take("!") {
		return c.readTerm(depth + 1)
	}
	if c.take("(") {
		return c.readExpression(depth+1) && c.take(")")
	}
	if !c.take("'") {
		return false
	}
	name, rest, ok := strings.Cut(c.rest, "'")
	c.rest = rest
	c.topics++
	return ok && isWord([]byte(name), maxTopicName) && c.take("in") && c.take("topics")
}

// refuse returns the response to an invalid target, nil for a valid one.
func (t target) refuse() *status {
	switch t.kind {
	case targetTopic:
		if !isWord([]byte(t.value), maxTopicName) {
			return refuseFields(violation{"message", "Topic name contains invalid characters."})
		}
	case targetCondition:
		if !isCondition(t.value) {
			s := invalidArgument("Request contains an invalid argument.") // FCM sends no details
			return &s
		}
	default:
		if !isToken(t.value) {
			const text = "The registration token is not a valid FCM registration token"
			s := invalidArgument(text,
				newFCMError("INVALID_ARGUMENT"), newBadRequest(violation{t.kind.fieldPath(), text}))
			return &s
		}
	}
	return nil
}

// isToken reports whether a token or installation ID is printable ASCII of a possible length. It
// does not ask for the form of real tokens, so that tests can name theirs freely.
func isToken(text string) bool {
	return text != "" && len(text) <= maxToken && !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}
