package terminal

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Printable quotes a text that strangers wrote where it would play tricks on a terminal, or begin a line of its own.
func Printable(text string) string {
	if IsPrintable(text) {
		return text
	}
	return strconv.Quote(text)
}

// IsPrintable reports whether a text is one line of characters that can be seen.
func IsPrintable(text string) bool {
	return utf8.ValidString(text) && strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}

// visible writes what is not printable as an escape; line feeds and tabs are left. In JSON, where such a character stands in a
// string, the escapes mean the same as the characters.
func visible(text []byte) []byte {
	plain := 0
	for plain < len(text) && (text[plain] >= ' ' && text[plain] < 0x7f || text[plain] == '\n' || text[plain] == '\t') {
		plain++
	}
	if plain == len(text) {
		return text
	}
	out := append(make([]byte, 0, len(text)+16), text[:plain]...)
	for rest := text[plain:]; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		switch {
		case r == utf8.RuneError && size == 1:
			out = fmt.Appendf(out, `\x%02x`, rest[0])
		case r == '\n' || r == '\t' || unicode.IsPrint(r):
			out = append(out, rest[:size]...)
		case r < ' ':
			out = fmt.Appendf(out, `\x%02x`, r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		rest = rest[size:]
	}
	return out
}
