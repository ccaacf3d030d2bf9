package campaign

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"fanfare/internal/notification"
)

// MaxUserID is the longest user id in bytes.
const MaxUserID = 512

// MaxTag is the longest tag of an element in bytes.
const MaxTag = 64

const byteOrderMark = "\xef\xbb\xbf"

// DecodeRecipient decodes one element of a producer's list. Every error is a *MalformedError.
//
// A userId is a string, or an integer whose digits are kept as written. 1.0 and 1e3 are refused,
// because their Redis keys are ambiguous. Without an address, or with null or "", the user's token
// is looked up. readDevices reads a list of devices. If a key is repeated, its last value counts.
// Keys are case-sensitive, and unknown ones are ignored. So is a locale, timeZone, platform
// or quietHours that is not a string, since an application may use these names for itself.
func DecodeRecipient(raw []byte) (notification.Recipient, error) {
	if r, ok := decodePlain(raw); ok {
		return r, nil
	}
	return decodeAny(raw)
}

// decodeAny decodes every form that an element may have.
func decodeAny(raw []byte) (notification.Recipient, error) {
	raw = bytes.TrimPrefix(raw, []byte(byteOrderMark))
	if start := bytes.TrimLeft(raw, " \t\r\n"); len(start) > 0 && start[0] != '{' && json.Valid(raw) {
		return notification.Recipient{}, &MalformedError{"it is not a JSON object"}
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return notification.Recipient{}, &MalformedError{syntaxProblem(err)}
	}
	var r notification.Recipient
	var err error
	if err = readTarget(fields, &r); err != nil {
		return notification.Recipient{}, err
	}
	if r.UserID, err = readUserID(fields["userId"]); err != nil {
		return notification.Recipient{}, err
	}
	if r.Vars, err = readVars(fields["vars"]); err != nil {
		return notification.Recipient{}, err
	}
	if r.Tag, err = readTag(fields["tag"]); err != nil {
		return notification.Recipient{}, err
	}
	r.Locale, _, _ = readString(fields["locale"])
	r.TimeZone, _, _ = readString(fields["timeZone"])
	r.QuietHours, _, _ = readString(fields["quietHours"])
	platform, _, _ := readString(fields["platform"])
	r.Platform = notification.NormalizePlatform(platform)
	return r, readDevices(fields["devices"], &r)
}

func syntaxProblem(err error) string {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Sprintf("it is not JSON: %s at byte %d", syntax, syntax.Offset)
	}
	return "it is not JSON: " + err.Error()
}

func readUserID(literal json.RawMessage) (string, error) {
	switch {
	case isNull(literal):
		return "", &MalformedError{"userId is missing"}
	case literal[0] == '"':
		id, _, err := readString(literal)
		if err != nil {
			return "", &MalformedError{"userId " + err.Error()}
		}
		return id, checkUserID(id)
	case literal[0] == '-' || literal[0] >= '0' && literal[0] <= '9':
		if bytes.ContainsAny(literal, ".eE") {
			return "", &MalformedError{"userId is a number, but no integer: write it as a string"}
		}
		return string(literal), checkUserID(string(literal))
	default:
		return "", &MalformedError{"userId is neither a string nor a number"}
	}
}

func checkUserID(id string) error {
	switch {
	case id == "":
		return &MalformedError{"userId is empty"}
	case len(id) > MaxUserID:
		return &MalformedError{fmt.Sprintf("userId is longer than %d bytes", MaxUserID)}
	case strings.ContainsRune(id, 0):
		return &MalformedError{"userId holds a NUL"}
	}
	return nil
}

// readTarget reads the element's address.
func readTarget(fields map[string]json.RawMessage, r *notification.Recipient) error {
	token, err := readAddress("fcmToken", fields)
	if err != nil {
		return err
	}
	fid, err := readAddress("fid", fields)
	if err != nil {
		return err
	}
	UseAddresses(r, notification.ParseFID(fid), notification.ParseToken(token))
	return nil
}

// UseAddresses sets the recipient's addresses. Of one installation, its ID is preferred to a token,
// because a device that has one may have lost its token. The token stays beside it, because the app
// may not have registered the ID yet. A token of another installation is another device.
func UseAddresses(r *notification.Recipient, fid, token notification.Target) {
	switch {
	case fid.IsZero() || !fid.IsSendable() && token.IsSendable():
		r.Target = token
	case token.IsSendable():
		r.Devices = []notification.Device{{Target: fid}, {Target: token}}
	default:
		r.Target = fid
	}
}

func readAddress(name string, fields map[string]json.RawMessage) (string, error) {
	literal := fields[name]
	if isNull(literal) {
		return "", nil
	}
	text, isString, err := readString(literal)
	switch {
	case !isString:
		return "", &MalformedError{name + " is not a string"}
	case err != nil:
		return "", &MalformedError{name + " " + err.Error()}
	}
	return text, nil
}

func readTag(literal json.RawMessage) (string, error) {
	if isNull(literal) {
		return "", nil
	}
	tag, isString, err := readString(literal)
	switch {
	case !isString:
		return "", &MalformedError{"tag is not a string"}
	case err != nil:
		return "", &MalformedError{"tag " + err.Error()}
	case len(tag) > MaxTag:
		return "", &MalformedError{fmt.Sprintf("tag is longer than %d bytes", MaxTag)}
	}
	return tag, nil
}

func readVars(literal json.RawMessage) (map[string]json.RawMessage, error) {
	if isNull(literal) {
		return nil, nil
	}
	if literal[0] != '{' {
		return nil, &MalformedError{"vars is not an object"}
	}
	var vars map[string]json.RawMessage
	if err := json.Unmarshal(literal, &vars); err != nil {
		return nil, &MalformedError{"vars: " + syntaxProblem(err)}
	}
	return vars, nil
}

func isNull(literal json.RawMessage) bool { return len(literal) == 0 || literal[0] == 'n' }

var errNotText = errors.New("is not valid UTF-8")

// readString decodes a string literal. Bytes and escapes that encoding/json would replace are
// errors, because two ids could become one.
func readString(literal json.RawMessage) (s string, isString bool, err error) {
	if len(literal) == 0 || literal[0] != '"' {
		return "", false, nil
	}
	if !utf8.Valid(literal) {
		return "", true, errNotText
	}
	if err := json.Unmarshal(literal, &s); err != nil {
		return "", true, err
	}
	if strings.ContainsRune(s, utf8.RuneError) && strings.Count(s, "\ufffd") != writtenReplacements(literal) {
		return "", true, errNotText
	}
	return s, true, nil
}

// writtenReplacements counts the U+FFFD that the literal really contains, as a character or an
// escape.
func writtenReplacements(literal []byte) int {
	n := bytes.Count(literal, []byte("\ufffd"))
	for at := 0; at+1 < len(literal); at++ {
		if literal[at] != '\\' {
			continue
		}
		if literal[at+1] == 'u' && at+6 <= len(literal) && bytes.EqualFold(literal[at+2:at+6], []byte("fffd")) {
			n++
		}
		at++ // the escaped character, which may be a backslash
	}
	return n
}

// EncodeRecipient appends a recipient as JSON that DecodeRecipient reads. It does not validate:
// an invalid recipient becomes an element that DecodeRecipient refuses.
func EncodeRecipient(dst []byte, r notification.Recipient) []byte {
	dst = append(dst, `{"userId":`...)
	dst = appendString(dst, r.UserID)
	dst = appendAddress(dst, "fcmToken", r.Target)
	dst = appendDevices(dst, r.Devices)
	if len(r.Vars) > 0 {
		dst = append(dst, `,"vars":{`...)
		for i, name := range slices.Sorted(maps.Keys(r.Vars)) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendString(dst, name), ':')
			dst = append(dst, r.Vars[name]...)
		}
		dst = append(dst, '}')
	}
	dst = appendMember(dst, "tag", r.Tag)
	dst = appendMember(dst, "locale", r.Locale)
	dst = appendMember(dst, "timeZone", r.TimeZone)
	dst = appendMember(dst, "platform", r.Platform)
	dst = appendMember(dst, "quietHours", r.QuietHours)
	return append(dst, '}')
}

// appendAddress appends a target, as an installation ID or under the name of tokens.
func appendAddress(dst []byte, tokenName string, t notification.Target) []byte {
	switch t.Kind {
	case notification.TargetFID:
		return appendMember(dst, "fid", t.Value)
	case notification.TargetInvalid: // the dispatcher reports what is wrong with it
		if notification.ParseToken(t.Text()).IsSendable() { // a token in the place of an installation ID
			return appendMember(dst, "fid", t.Text())
		}
		return appendMember(dst, tokenName, t.Text())
	default:
		return appendMember(dst, tokenName, t.Value)
	}
}

// appendMember appends another member, unless it is empty.
func appendMember(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	dst = append(append(append(dst, `,"`...), name...), `":`...)
	return appendString(dst, value)
}

func appendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[start:i]...)
		if c < ' ' {
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
		} else {
			dst = append(dst, '\\', c)
		}
		start = i + 1
	}
	return append(append(dst, s[start:]...), '"')
}

// MalformedError says why an element is not a recipient. It never quotes the element, which may
// contain a token.
type MalformedError struct{ Problem string }

func (e *MalformedError) Error() string { return "malformed recipient: " + e.Problem }
