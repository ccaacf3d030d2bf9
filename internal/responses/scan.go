package responses

import (
	"encoding/base64"
	"strconv"

	"fanfare/internal/notification"
)

// scanner reads the JSON that Append and JSON.stringify write, several times as fast as
// encoding/json (BenchmarkDecode). It takes one flat object without white space and escapes. It
// declines everything else, errors included, so only encoding/json decides what such input means.
type scanner struct {
	text string
	at   int
	ok   bool
}

// scanPlain reads a result. plain is false when encoding/json must read it. The strings share
// text's memory.
func scanPlain(text string) (r notification.Result, plain bool) {
	s := scanner{text: text, ok: true}
	s.want('{')
	for s.ok {
		s.field(&r)
		if !s.ok || s.skip(',') {
			continue
		}
		s.want('}')
		return r, s.ok && s.at == len(text)
	}
	return r, false
}

// field reads `"name":value`. The last of several fields of one name counts, as with encoding/json.
func (s *scanner) field(r *notification.Result) {
	name := s.str()
	s.want(':')
	switch name {
	case "campaignId":
		r.CampaignID = s.str()
	case "userId":
		r.UserID = s.str()
	case "status":
		r.Status = notification.Status(s.str())
	case "messageId":
		r.MessageID = s.str()
	case "errorCode":
		r.ErrorCode = s.str()
	case "error":
		r.Error = s.str()
	case "attempts":
		r.Attempts = s.count()
	case "tokenRemoved":
		r.TokenRemoved = s.boolean()
	case "fcmToken":
		r.Token = s.str()
	case "at":
		at, err := parseTime(s.str())
		r.At, s.ok = at, s.ok && err == nil
	case "resultId":
		r.ResultID = s.str()
	case "variant":
		r.Variant = s.str()
	case "locale":
		r.Locale = s.str()
	case "raw":
		raw, err := base64.StdEncoding.DecodeString(s.str())
		r.Raw, s.ok = raw, s.ok && err == nil
	default:
		s.ok = false
	}
}

func (s *scanner) want(c byte) { s.ok = s.skip(c) && s.ok }

func (s *scanner) skip(c byte) bool {
	if s.at < len(s.text) && s.text[s.at] == c {
		s.at++
		return true
	}
	return false
}

func (s *scanner) str() string {
	s.want('"')
	start := s.at
	for ; s.at < len(s.text); s.at++ {
		c := s.text[s.at]
		if c == '"' {
			s.at++
			return s.text[start : s.at-1]
		}
		if c < ' ' || c == '\\' {
			break
		}
	}
	s.ok = false
	return ""
}

// count reads a whole number without a sign. Nine digits always fit.
func (s *scanner) count() int {
	start := s.at
	for s.at < len(s.text) && s.text[s.at]-'0' <= 9 {
		s.at++
	}
	digits := s.text[start:s.at]
	n, err := strconv.Atoi(digits)
	if err != nil || len(digits) > 9 || len(digits) > 1 && digits[0] == '0' {
		s.ok = false
	}
	return n
}

func (s *scanner) boolean() bool {
	for _, b := range []bool{true, false} {
		if word := strconv.FormatBool(b); len(s.text)-s.at >= len(word) && s.text[s.at:s.at+len(word)] == word {
			s.at += len(word)
			return b
		}
	}
	s.ok = false
	return false
}
