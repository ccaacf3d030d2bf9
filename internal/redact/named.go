package redact

import (
	"regexp"
	"strings"
)

// named is the name of a secret, with what may stand between it and its value.
var named = regexp.MustCompile(`(?i)(?:password|passwd|passphrase|\bpwd|\bpass|secret|private[_-]?key(?:[_-]?id)?|(?:access|refresh|id)[_-]?token|api[_-]?key|\bassertion)` +
	`(\\*["'])?([ \t]*(?:=>?|:)[ \t]*)`)

// hideNamed hides the value of each named secret: password=x, password='x y', "password":"x", at any depth of escaping.
func hideNamed(text string) string {
	var b strings.Builder
	for {
		at := named.FindStringSubmatchIndex(text)
		if at == nil {
			break
		}
		head := text[:at[1]]
		quotedName, separator, rest := at[2] >= 0, text[at[4]:at[5]], text[at[1]:]
		quote, length := valueOf(quotedName, separator, rest)
		b.WriteString(head)
		if quote == "" && length > 0 && quotedName && strings.Contains(separator, ":") {
			quote = text[at[2]:at[3]] // a number or a word in JSON becomes a string
		}
		if length > 0 {
			b.WriteString(quote + Hidden + quote)
		}
		text = rest[length:]
	}
	b.WriteString(text)
	return b.String()
}

// valueOf measures the value at the beginning of rest. A quote at its beginning is returned and counts as no part of the value.
func valueOf(quotedName bool, separator, rest string) (quote string, length int) {
	slashes := len(rest) - len(strings.TrimLeft(rest, `\`))
	if slashes < len(rest) && (rest[slashes] == '"' || rest[slashes] == '\'') {
		return rest[:slashes+1], quoted(rest, slashes)
	}
	switch {
	case strings.HasPrefix(rest, Hidden):
		return "", len(Hidden)
	case quotedName && strings.Contains(separator, ":"):
		return "", word(rest, " ,}]\r\n\t\"")
	case strings.Contains(separator, "="):
		length = word(rest, "& \r\n\t\"")
		if strings.HasSuffix(separator, " ") && strings.Contains(rest[:length], "=") {
			return "", 0 // the value is empty, and this is the next one's name
		}
		return "", length
	case separator == ":":
		return "", word(rest, " ,}]\r\n\t\"")
	}
	if length = word(rest, " ,\r\n\t\""); looksSecret(rest[:length]) {
		return "", length
	}
	return "", 0
}

// quoted measures a value behind a quote that is escaped by so many backslashes; it ends at the next quote of the same kind, or
// where the text around it does. The quotes are a part of the value, so that nothing of a cut one is left over.
func quoted(rest string, slashes int) int {
	kind, run := rest[slashes], 0
	outer := len(rest)
	for i := slashes + 1; i < len(rest); i++ {
		switch c := rest[i]; {
		case c == '\\':
			run++
			continue
		case c == kind && run == slashes:
			return i + 1
		case c == '"' && run < max(slashes, 1) && outer == len(rest):
			outer = i - run
		}
		run = 0
	}
	return outer
}

// word measures what stands before the first of the ends, where a backslash counts as a part of it unless it escapes a quote.
func word(rest, ends string) int {
	length := strings.IndexAny(rest, ends)
	if length < 0 {
		return len(rest)
	}
	if rest[length] == '"' {
		length = len(strings.TrimRight(rest[:length], `\`))
	}
	return length
}

// looksSecret tells a password from a word of English that follows "password: ".
func looksSecret(word string) bool {
	return strings.ContainsAny(word, "0123456789!@#$%^&*+~/\\=")
}
