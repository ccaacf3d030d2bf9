package content

import (
	"bytes"
	"encoding/json"
	"strings"
)

// eachMember visits the members of a JSON object in the order of the text. The text must be valid
// JSON.
func eachMember(raw json.RawMessage, visit func(name string, value json.RawMessage)) {
	for rest := skip(raw, 1); rest[0] != '}'; {
		end := findValueEnd(rest)
		name, _ := decodeString(rest[:end])
		rest = skip(rest, end) // ':'
		rest = skip(rest, 1)
		end = findValueEnd(rest)
		visit(name, rest[:end:end])
		if rest = skip(rest, end); rest[0] == ',' {
			rest = skip(rest, 1)
		}
	}
}

// eachElement visits the elements of a JSON list. The text must be valid JSON.
func eachElement(raw json.RawMessage, visit func(i int, value json.RawMessage)) {
	rest := skip(raw, 1)
	for i := 0; rest[0] != ']'; i++ {
		end := findValueEnd(rest)
		visit(i, rest[:end:end])
		if rest = skip(rest, end); rest[0] == ',' {
			rest = skip(rest, 1)
		}
	}
}

// skip drops n bytes and the white space after them.
func skip(raw json.RawMessage, n int) json.RawMessage {
	return bytes.TrimLeft(raw[n:], " \t\r\n")
}

// findValueEnd returns the end of the value that raw begins with.
func findValueEnd(raw json.RawMessage) int {
	depth := 0
	for i := 0; i < len(raw); i++ {
		switch raw[i] {
		case '"':
			for i++; raw[i] != '"'; i++ {
				if raw[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			depth++
			continue
		case '}', ']':
			depth--
		default:
			if depth > 0 || !isScalarEnd(raw[i+1]) {
				continue
			}
		}
		if depth == 0 {
			return i + 1
		}
	}
	return len(raw)
}

// isScalarEnd reports whether c can follow a number or a word inside an object or a list.
func isScalarEnd(c byte) bool { return strings.IndexByte(",}] \t\r\n", c) >= 0 }

func decodeString(raw json.RawMessage) (string, bool) {
	if raw[0] != '"' {
		return "", false
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1]), true
	}
	var s string
	err := json.Unmarshal(raw, &s)
	return s, err == nil
}
