package fcm

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// findDifference compares a message with what the SDK would send. It returns the path of the first
// field that FCM would understand otherwise, or "". Absent and empty values of FCM's own fields are
// the same to FCM, except objects. Data, headers, and the objects of Apple and of browsers are
// compared strictly.
func findDifference(own, sent json.RawMessage) string {
	return compareValues("message", decodeExactly(own), decodeExactly(sent), false)
}

// decodeExactly keeps every digit.
func decodeExactly(text []byte) any {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return nil
	}
	return v
}

// isPassedOn reports whether FCM passes a member on without reading it.
func isPassedOn(path string) bool {
	switch path {
	case "message.apns.payload", "message.webpush.notification", "message.android.notification.light_settings.color":
		return true
	}
	return isMap(path)
}

// isMap reports whether a field is a map of strings, which is the same to FCM if it is empty or
// absent.
func isMap(path string) bool {
	switch path {
	case "message.data", "message.android.data", "message.webpush.data", "message.apns.headers", "message.webpush.headers":
		return true
	}
	return false
}

func compareValues(path string, own, sent any, strict bool) string {
	if !strict && isEmpty(own) && isEmpty(sent) {
		return ""
	}
	switch a := own.(type) {
	case map[string]any:
		b, ok := sent.(map[string]any)
		if !ok && (!isMap(path) || len(a) > 0) {
			return path
		}
		return compareObjects(path, a, b, strict || isPassedOn(path))
	case []any:
		b, _ := sent.([]any)
		if len(a) != len(b) {
			return path
		}
		for i := range a {
			if at := compareValues(path+"["+strconv.Itoa(i)+"]", a[i], b[i], strict); at != "" {
				return at
			}
		}
		return ""
	}
	if !isSameScalar(own, sent) {
		return path
	}
	return ""
}

func compareObjects(path string, own, sent map[string]any, strict bool) string {
	names := maps.Clone(own)
	maps.Copy(names, sent)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if at := compareValues(path+"."+name, own[name], sent[name], strict); at != "" {
			return at
		}
	}
	return ""
}

// isEmpty reports whether FCM takes a value as absent.
func isEmpty(v any) bool {
	switch x := v.(type) {
	case nil:
		return true
	case bool:
		return !x
	case string:
		return x == ""
	case json.Number:
		return isSameNumber(x.String(), "0")
	case []any:
		return len(x) == 0
	}
	return false
}

func isSameScalar(a, b any) bool {
	x, numbers := a.(json.Number)
	y, both := b.(json.Number)
	if numbers && both {
		return isSameNumber(x.String(), y.String())
	}
	return a == b
}

// longNumber is the length above which numbers are the same only if they are spelled alike.
// Comparing exponents of any size would cost too much.
const longNumber = 40

func isSameNumber(a, b string) bool {
	if a == b {
		return true
	}
	if len(a) > longNumber || len(b) > longNumber || hasLargeExponent(a) || hasLargeExponent(b) {
		return false
	}
	x, okX := new(big.Rat).SetString(a)
	y, okY := new(big.Rat).SetString(b)
	return okX && okY && x.Cmp(y) == 0
}

func hasLargeExponent(number string) bool {
	_, exponent, found := strings.Cut(strings.ToLower(number), "e")
	return found && len(strings.TrimLeft(exponent, "+-0")) > 2
}
