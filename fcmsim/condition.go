package fcmsim

import "strings"

// maxConditionTopics is how many topics a condition may name.
const maxConditionTopics = 5

// isCondition checks the form of a condition such as 'dogs' in topics && ('cats' in topics || !('birds' in topics)).
func isCondition(text string) bool {
	c := condition{rest: text}
	return c.expression(0) && c.next() == "" && c.topics <= maxConditionTopics
}

type condition struct {
	rest   string
	topics int
}

// next looks at what follows, without white space.
func (c *condition) next() string {
	c.rest = strings.TrimLeft(c.rest, " \t\r\n")
	return c.rest
}

func (c *condition) take(word string) bool {
	if !strings.HasPrefix(c.next(), word) {
		return false
	}
	c.rest = c.rest[len(word):]
	return true
}

func (c *condition) expression(depth int) bool {
	for {
		if !c.term(depth) {
			return false
		}
		if !c.take("&&") && !c.take("||") {
			return true
		}
	}
}

func (c *condition) term(depth int) bool {
	if depth > maxDepth {
		return false
	}
	if c.take("!") {
		return c.term(depth + 1)
	}
	if c.take("(") {
		return c.expression(depth+1) && c.take(")")
	}
	if !c.take("'") {
		return false
	}
	name, rest, ok := strings.Cut(c.rest, "'")
	c.rest = rest
	c.topics++
	return ok && isWord([]byte(name), maxTopicName) && c.take("in") && c.take("topics")
}
