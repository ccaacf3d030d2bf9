package campaign

import (
	"maps"
	"slices"

	"fanfare/internal/notification"
)

// EncodeRecipient appends a recipient as JSON that DecodeRecipient reads. It does not validate:
// an invalid recipient becomes an element that DecodeRecipient refuses.
func EncodeRecipient(dst []byte, r notification.Recipient) []byte {
	dst = append(dst, `{"userId":`...)
	dst = appendString(dst, r.UserID)
	token := r.Target.Value
	if r.Target.Kind == notification.TargetInvalid {
		token = r.Target.Text() // the dispatcher reports what is wrong with it
	}
	dst = appendMember(dst, "fcmToken", token)
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
	dst = appendMember(dst, "locale", r.Locale)
	dst = appendMember(dst, "timeZone", r.TimeZone)
	dst = appendMember(dst, "platform", r.Platform)
	return append(dst, '}')
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
