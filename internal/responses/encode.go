package responses

import (
	"encoding/base64"
	"strconv"
	"time"
	"unicode/utf8"

	"fanfare/internal/notification"
)

// atLayout is RFC 3339 with exactly three decimals.
const atLayout = "2006-01-02T15:04:05.000Z07:00"

// Append appends the JSON of a result in the form of the contract. It leaves out empty optional
// fields, and the token unless it was removed. Times are in UTC and cut to milliseconds. Invalid
// UTF-8 becomes U+FFFD.
func Append(dst []byte, r *notification.Result) []byte {
	dst = appendField(dst, `{"campaignId":`, r.CampaignID)
	dst = appendField(dst, `,"userId":`, r.UserID)
	dst = appendField(dst, `,"status":`, string(r.Status))
	dst = appendOptional(dst, `,"messageId":`, r.MessageID)
	dst = appendOptional(dst, `,"errorCode":`, r.ErrorCode)
	dst = appendOptional(dst, `,"error":`, r.Error)
	dst = append(dst, `,"attempts":`...)
	dst = strconv.AppendInt(dst, int64(r.Attempts), 10)
	if r.TokenRemoved {
		dst = append(dst, `,"tokenRemoved":true`...)
		dst = appendOptional(dst, `,"fcmToken":`, r.Token)
	}
	dst = appendTime(dst, `,"at":`, r.At)
	dst = appendField(dst, `,"resultId":`, r.ResultID)
	dst = appendOptional(dst, `,"variant":`, r.Variant)
	dst = appendOptional(dst, `,"locale":`, r.Locale)
	dst = appendRaw(dst, r.Raw)
	dst = appendDevices(dst, r.Devices)
	return append(dst, '}')
}

// appendDevices appends the outcomes of devices, unless there are none.
func appendDevices(dst []byte, devices []notification.DeviceResult) []byte {
	if len(devices) == 0 {
		return dst
	}
	separator := `,"devices":[{"address":`
	for i := range devices {
		d := &devices[i]
		dst = appendField(dst, separator, d.Address)
		dst = appendField(dst, `,"kind":`, d.Kind)
		dst = appendOptional(dst, `,"platform":`, d.Platform)
		dst = appendField(dst, `,"status":`, string(d.Status))
		dst = appendOptional(dst, `,"messageId":`, d.MessageID)
		dst = appendOptional(dst, `,"errorCode":`, d.ErrorCode)
		dst = strconv.AppendInt(append(dst, `,"attempts":`...), int64(d.Attempts), 10)
		if d.TokenRemoved {
			dst = append(dst, `,"tokenRemoved":true`...)
			dst = appendOptional(dst, `,"fcmToken":`, d.Token)
		}
		dst = appendOptional(dst, `,"locale":`, d.Locale)
		dst = append(dst, '}')
		separator = `,{"address":`
	}
	return append(dst, ']')
}

func appendField(dst []byte, name, value string) []byte {
	return appendString(append(dst, name...), value)
}

func appendOptional(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	return appendField(dst, name, value)
}

func appendTime(dst []byte, name string, at time.Time) []byte {
	dst = append(append(dst, name...), '"')
	return append(at.UTC().AppendFormat(dst, atLayout), '"')
}

func appendRaw(dst, raw []byte) []byte {
	if len(raw) == 0 {
		return dst
	}
	dst = append(dst, `,"raw":"`...)
	return append(base64.StdEncoding.AppendEncode(dst, raw), '"')
}

// appendString quotes as encoding/json does without HTML escaping. It copies nearly all strings in
// one piece.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	copied := 0
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if c < ' ' || c == '"' || c == '\\' {
				dst = appendEscape(append(dst, s[copied:i]...), c)
				copied = i + 1
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			dst = append(append(dst, s[copied:i]...), `\ufffd`...)
			copied = i + size
		case r == '\u2028' || r == '\u2029': // line ends in JavaScript
			dst = append(append(dst, s[copied:i]...), `\u202`...)
			dst = append(dst, hexDigits[r&0xf])
			copied = i + size
		}
		i += size
	}
	return append(append(dst, s[copied:]...), '"')
}

const hexDigits = "0123456789abcdef"

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, `\b`...)
	case '\f':
		return append(dst, `\f`...)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
}
