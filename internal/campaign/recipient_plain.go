package campaign

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"fanfare/internal/notification"
)

// decodePlain decodes the common form: an object of integers and of strings without escapes, with
// vars of the same kind. It is much faster than decodeAny (BenchmarkDecodeRecipient), which the
// dispatcher needs at ten thousand recipients a second. For any other form, and for errors, ok is
// false and decodeAny decides.
func decodePlain(raw []byte) (r notification.Recipient, ok bool) {
	p := plainParser{text: string(raw)} // one copy that the recipient's strings share
	if !p.next('{') {
		return r, false
	}
	for more := true; more; more = p.next(',') {
		key, ok := p.key()
		if !ok || !p.member(key, &r) {
			return r, false
		}
	}
	if !p.next('}') || p.space() != len(p.text) || r.UserID == "" || len(r.UserID) > MaxUserID || len(r.Tag) > MaxTag {
		return r, false
	}
	UseAddresses(&r, p.fid, p.token)
	return r, true
}

// plainParser is a position in the text of an element, and the addresses before it.
type plainParser struct {
	text       string
	at         int
	fid, token notification.Target
}

// member reads the value of a key into the recipient.
func (p *plainParser) member(key string, r *notification.Recipient) (ok bool) {
	if key == "vars" {
		r.Vars, ok = p.vars()
		return ok
	}
	value, number, ok := p.value()
	switch {
	case !ok || number && (key == "fcmToken" || key == "fid" || key == "tag") || key == "devices":
		return false
	case key == "userId":
		r.UserID = value
	case key == "fcmToken":
		p.token = notification.ParseToken(value)
	case key == "fid":
		p.fid = notification.ParseFID(value)
	case key == "tag":
		r.Tag = value
	case key == "locale":
		r.Locale = textOrEmpty(value, number)
	case key == "timeZone":
		r.TimeZone = textOrEmpty(value, number)
	case key == "quietHours":
		r.QuietHours = textOrEmpty(value, number)
	case key == "platform":
		r.Platform = notification.NormalizePlatform(textOrEmpty(value, number))
	}
	return true
}

func textOrEmpty(value string, number bool) string {
	if number {
		return ""
	}
	return value
}

// vars reads an object whose values are kept as written.
func (p *plainParser) vars() (map[string]json.RawMessage, bool) {
	if !p.next('{') {
		return nil, false
	}
	vars := make(map[string]json.RawMessage)
	for more := true; more; more = p.next(',') {
		key, ok := p.key()
		start := p.space()
		if !ok {
			return nil, false
		}
		if _, _, ok := p.value(); !ok {
			return nil, false
		}
		vars[key] = json.RawMessage(p.text[start:p.at])
	}
	return vars, p.next('}')
}

// space skips white space and returns the position after it.
func (p *plainParser) space() int {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
	return p.at
}

// next skips the character c, if it is the next one.
func (p *plainParser) next(c byte) bool {
	if p.space() == len(p.text) || p.text[p.at] != c {
		return false
	}
	p.at++
	return true
}

// key reads a key and its colon.
func (p *plainParser) key() (string, bool) {
	key, ok := p.str()
	return key, ok && p.next(':')
}

// value reads a string or an integer.
func (p *plainParser) value() (text string, number, ok bool) {
	if p.space() < len(p.text) && p.text[p.at] != '"' {
		text, ok = p.integer()
		return text, true, ok
	}
	text, ok = p.str()
	return text, false, ok
}

// str reads a string of valid UTF-8 without escapes.
func (p *plainParser) str() (string, bool) {
	if !p.next('"') {
		return "", false
	}
	start, ascii := p.at, true
	for ; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; {
		case c == '"':
			s := p.text[start:p.at]
			p.at++
			return s, ascii || utf8.ValidString(s)
		case c < ' ' || c == '\\':
			return "", false
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return "", false
}

// integer reads a number without sign, point, exponent or leading zero.
func (p *plainParser) integer() (string, bool) {
	start := p.at
	for p.at < len(p.text) && p.text[p.at] >= '0' && p.text[p.at] <= '9' {
		p.at++
	}
	digits := p.text[start:p.at]
	if digits == "" || digits[0] == '0' && digits != "0" {
		return "", false
	}
	return digits, true
}
