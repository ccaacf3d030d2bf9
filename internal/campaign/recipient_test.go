package campaign

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"fanfare/internal/notification"
)

var long = strings.Repeat("x", MaxUserID)

// elements are what producers write and what is decoded. problem is a part of the error if the
// element is malformed.
var elements = []struct {
	name, raw string
	want      notification.Recipient
	problem   string
}{
	{name: "string id", raw: `{"userId":"u1"}`, want: user("u1")},
	{name: "token", raw: `{"userId":"u1","fcmToken":"t:1"}`, want: reach("u1", "t:1")},
	{name: "integer id", raw: `{"userId":7}`, want: user("7")},
	{name: "zero", raw: `{"userId":0}`, want: user("0")},
	{name: "beyond 2^53", raw: `{"userId":9007199254740993}`, want: user("9007199254740993")},
	{name: "beyond 2^64", raw: `{"userId":123456789012345678901234567890}`, want: user("123456789012345678901234567890")},
	{name: "negative", raw: `{"userId":-5}`, want: user("-5")},
	{name: "spaces", raw: " \r\n{ \"userId\" :\t\"u1\" , \"fcmToken\" : \"t\" } \n", want: reach("u1", "t")},
	{name: "byte order mark", raw: "\ufeff" + `{"userId":"u1"}`, want: user("u1")},
	{name: "unknown fields", raw: `{"a":{"b":[1,{}]},"userId":"u1","c":null,"d":true,"e":-1.5e3,"f":"g"}`, want: user("u1")},
	{name: "installation ID", raw: `{"userId":"u1","fid":"f1"}`, want: atFID("u1", "f1")},
	{name: "installation ID before a token", raw: `{"userId":"u1","fid":"f1","fcmToken":"other:t"}`, want: withDevices("u1", notification.Device{Target: notification.ParseFID("f1")}, at("other:t"))},
	{name: "installation ID after a token", raw: `{"userId":"u1","fcmToken":"f1:t","fid":"f1"}`, want: withDevices("u1", notification.Device{Target: notification.ParseFID("f1")}, at("f1:t"))},
	{name: "no installation ID", raw: `{"userId":"u1","fid":null,"fcmToken":"t:1"}`, want: reach("u1", "t:1")},
	{name: "a token in place of the installation ID", raw: `{"userId":"u1","fid":"f1:t","fcmToken":"t:1"}`, want: reach("u1", "t:1")},
	{name: "null token", raw: `{"userId":"u1","fcmToken":null}`, want: user("u1")},
	{name: "empty token", raw: `{"userId":"u1","fcmToken":""}`, want: user("u1")},
	{name: "repeated keys", raw: `{"userId":"u1","fcmToken":"a","userId":"u2","fcmToken":"b"}`, want: reach("u2", "b")},
	{name: "repeated token, then none", raw: `{"userId":"u1","fcmToken":"a","fcmToken":null}`, want: user("u1")},
	{name: "other case", raw: `{"userId":"u1","USERID":"u2","FcmToken":"x"}`, want: user("u1")},
	{name: "escapes", raw: `{"user\u0049d":"\u00fc\n\"\\\/","fcmToken":"a\u003ab"}`, want: reach("ü\n\"\\/", "a:b")},
	{name: "surrogate pair", raw: `{"userId":"\ud83d\ude00"}`, want: user("😀")},
	{name: "beyond ASCII", raw: `{"userId":"người"}`, want: user("người")},
	{name: "replacement character", raw: `{"userId":"a` + "\ufffd" + `\uFFFD\\ufffd"}`, want: user("a\ufffd\ufffd\\ufffd")},
	{name: "512 bytes", raw: `{"userId":"` + long + `"}`, want: user(long)},
	{name: "delete character", raw: `{"userId":"a` + "\x7f" + `"}`, want: user("a\x7f")},
	{
		name: "vars", raw: `{"userId":"u1","vars":{"name":"An","n":1.50}}`,
		want: notification.Recipient{UserID: "u1", Vars: map[string]json.RawMessage{
			"name": json.RawMessage(`"An"`), "n": json.RawMessage(`1.50`),
		}},
	},
	{name: "number as an installation ID", raw: `{"userId":"u1","fid":7}`, problem: "fid is not a string"},
	{name: "null vars", raw: `{"userId":"u1","vars":null}`, want: user("u1")},
	{
		name: "locale", raw: `{"userId":"u1","locale":"pt-BR","timeZone":"Asia/Saigon"}`,
		want: notification.Recipient{UserID: "u1", Locale: "pt-BR", TimeZone: "Asia/Saigon"},
	},
	{name: "platform", raw: `{"userId":"u1","platform":"iOS"}`, want: notification.Recipient{UserID: "u1", Platform: "ios"}},
	{name: "platform that is no name", raw: `{"userId":"u1","platform":"a:b"}`, want: user("u1")},
	{name: "platform of another kind", raw: `{"userId":"u1","platform":[1]}`, want: user("u1")},
	{name: "locale of another kind", raw: `{"userId":"u1","locale":{"lang":"en"},"timeZone":7}`, want: user("u1")},
	{name: "locale as a number", raw: `{"userId":"u1","locale":"en","locale":7}`, want: user("u1")},

	{
		name: "devices", raw: `{"userId":"u1","devices":[{"token":"a:1","platform":"iOS","lastSeen":"2026-11-30T06:00:00Z"},{"fid":"f2","locale":"de","lastSeen":1795000000000}]}`,
		want: withDevices("u1",
			notification.Device{Target: notification.ParseToken("a:1"), Platform: "ios", LastSeen: time.Date(2026, 11, 30, 6, 0, 0, 0, time.UTC)},
			notification.Device{Target: notification.ParseFID("f2"), Locale: "de", LastSeen: time.UnixMilli(1795000000000)}),
	},
	{
		name: "devices seen before 1970 and after 9999", raw: `{"userId":"u1","devices":[{"token":"a:1","lastSeen":"0001-01-02T00:00:00Z"},{"token":"b:2","lastSeen":"9999-12-31T23:59:59-12:00"}]}`,
		want: withDevices("u1", at("a:1"), at("b:2")),
	},
	{name: "one device", raw: `{"userId":"u1","devices":[{"token":"a:1"}]}`, want: reach("u1", "a:1")},
	{name: "no devices", raw: `{"userId":"u1","fcmToken":"a","devices":[]}`, want: reach("u1", "a")},
	{name: "null devices", raw: `{"userId":"u1","fcmToken":"a","devices":null}`, want: reach("u1", "a")},
	{name: "a token beside devices", raw: `{"userId":"u1","fcmToken":"a:1","devices":[{"token":"b:2"},{"token":"a:1"}]}`, want: withDevices("u1", at("a:1"), at("b:2"))},
	{
		name: "a place beside devices", raw: `{"userId":"u1","fcmToken":"a:1","platform":"ios","locale":"de","timeZone":"Asia/Tokyo","devices":[{"token":"b:2"}]}`,
		want: notification.Recipient{UserID: "u1", Platform: "ios", Locale: "de", TimeZone: "Asia/Tokyo", Devices: []notification.Device{
			{Target: notification.ParseToken("a:1"), Platform: "ios", Locale: "de", TimeZone: "Asia/Tokyo"}, at("b:2"),
		}},
	},
	{name: "both addresses of a device beside devices", raw: `{"userId":"u1","fid":"f1","fcmToken":"f1:t","devices":[{"token":"b:2"}]}`, want: withDevices("u1", notification.Device{Target: notification.ParseFID("f1")}, at("f1:t"), at("b:2"))},
	{name: "a device twice", raw: `{"userId":"u1","devices":[{"token":"a:1"},{"token":"a:1"}]}`, want: reach("u1", "a:1")},
	{
		name: "bad devices", raw: `{"userId":"u1","devices":[7,{},{"token":"a:1","fid":"f"},{"token":5},{"fid":"a:1"},{"token":"a:1"},{"token":"a:1","lastSeen":"never","platform":7}]}`,
		want: withDevices("u1", bad("it is not an object"), bad("it has neither a token nor a fid"), bad("it has both a token and a fid"), bad("its address is not a text"),
			notification.Device{Target: notification.ParseFID("a:1")}, at("a:1")),
	},
	{name: "one bad device", raw: `{"userId":"u1","devices":[7]}`, want: withDevices("u1", bad("it is not an object"))},
	{name: "twenty devices", raw: `{"userId":"u1","devices":[` + strings.Repeat(`{"token":"a:1"},`, notification.MaxDevices-1) + `{"token":"a:1"}]}`, want: reach("u1", "a:1")},
	{name: "too many devices", raw: `{"userId":"u1","devices":[` + strings.Repeat(`{"token":"a:1"},`, notification.MaxDevices) + `{"token":"a:1"}]}`, problem: "devices has 21 entries, want at most 20"},
	{name: "devices as an object", raw: `{"userId":"u1","devices":{}}`, problem: "devices is not a list"},
	{name: "devices as a text", raw: `{"userId":"u1","devices":"a:1"}`, problem: "devices is not a list"},

	{name: "nothing", raw: ``, problem: "not JSON"},
	{name: "spaces only", raw: `  `, problem: "not JSON"},
	{name: "half", raw: `{"userId":"u1"`, problem: "not JSON"},
	{name: "half a string", raw: `{"userId":"u1`, problem: "not JSON"},
	{name: "trailing garbage", raw: `{"userId":"u1"}x`, problem: "not JSON"},
	{name: "two objects", raw: `{"userId":"u1"}{"userId":"u2"}`, problem: "not JSON"},
	{name: "trailing comma", raw: `{"userId":"u1",}`, problem: "not JSON"},
	{name: "single quotes", raw: `{'userId':'u1'}`, problem: "not JSON"},
	{name: "leading zero", raw: `{"userId":007}`, problem: "not JSON"},
	{name: "tab in a string", raw: "{\"userId\":\"a\t1\"}", problem: "not JSON"},
	{name: "tab before digits in a string", raw: "{\"userId\":\"\t1}", problem: "not JSON"},
	{name: "bad unknown field", raw: `{"userId":"u1","x":tru}`, problem: "not JSON"},
	{name: "array", raw: `["u1"]`, problem: "not a JSON object"},
	{name: "string", raw: `"u1"`, problem: "not a JSON object"},
	{name: "null", raw: ` null`, problem: "not a JSON object"},
	{name: "empty object", raw: `{}`, problem: "userId is missing"},
	{name: "null id", raw: `{"userId":null}`, problem: "userId is missing"},
	{name: "null id at last", raw: `{"userId":"u1","userId":null}`, problem: "userId is missing"},
	{name: "empty id", raw: `{"userId":""}`, problem: "userId is empty"},
	{name: "empty id at last", raw: `{"userId":"u1","userId":""}`, problem: "userId is empty"},
	{name: "NUL", raw: `{"userId":"a\u0000"}`, problem: "NUL"},
	{name: "long id", raw: `{"userId":"` + long + `x"}`, problem: "512"},
	{name: "long number", raw: `{"userId":1` + strings.Repeat("0", MaxUserID) + `}`, problem: "512"},
	{name: "invalid UTF-8", raw: "{\"userId\":\"a\xff\"}", problem: "userId is not valid UTF-8"},
	{name: "half a surrogate pair", raw: `{"userId":"a\ud83d"}`, problem: "userId is not valid UTF-8"},
	{name: "half a pair beside a replacement", raw: `{"userId":"\ufffd\ud83d"}`, problem: "userId is not valid UTF-8"},
	{name: "fraction", raw: `{"userId":1.0}`, problem: "no integer"},
	{name: "exponent", raw: `{"userId":1e3}`, problem: "no integer"},
	{name: "boolean id", raw: `{"userId":true}`, problem: "neither a string nor a number"},
	{name: "object id", raw: `{"userId":{}}`, problem: "neither a string nor a number"},
	{name: "number as token", raw: `{"userId":"u1","fcmToken":5}`, problem: "fcmToken is not a string"},
	{name: "false as token", raw: `{"userId":"u1","fcmToken":false}`, problem: "fcmToken is not a string"},
	{name: "invalid token", raw: "{\"userId\":\"u1\",\"fcmToken\":\"a\xff\"}", problem: "fcmToken is not valid UTF-8"},
	{name: "tag", raw: `{"userId":"u1","tag":"order-7"}`, want: notification.Recipient{UserID: "u1", Tag: "order-7"}},
	{name: "tag with an escape", raw: `{"userId":"u1","tag":"\u00e9"}`, want: notification.Recipient{UserID: "u1", Tag: "é"}},
	{name: "null as tag", raw: `{"userId":"u1","tag":null}`, want: user("u1")},
	{name: "number as tag", raw: `{"userId":"u1","tag":7}`, problem: "tag is not a string"},
	{name: "list as tag", raw: `{"userId":"u1","tag":[]}`, problem: "tag is not a string"},
	{name: "long tag", raw: `{"userId":"u1","tag":"` + strings.Repeat("é", 33) + `"}`, problem: "tag is longer than 64 bytes"},
	{name: "vars as a string", raw: `{"userId":"u1","vars":"x"}`, problem: "vars is not an object"},
	{name: "vars as a list", raw: `{"userId":"u1","vars":[]}`, problem: "vars is not an object"},
}

func user(id string) notification.Recipient { return notification.Recipient{UserID: id} }

func atFID(id, fid string) notification.Recipient {
	return notification.Recipient{UserID: id, Target: notification.ParseFID(fid)}
}

func reach(id, token string) notification.Recipient {
	return notification.Recipient{UserID: id, Target: notification.ParseToken(token)}
}

func at(token string) notification.Device {
	return notification.Device{Target: notification.ParseToken(token)}
}

func bad(problem string) notification.Device { return notification.Device{Problem: problem} }

func withDevices(id string, devices ...notification.Device) notification.Recipient {
	return notification.Recipient{UserID: id, Devices: devices}
}

func sameDevice(a, b notification.Device) bool {
	return a.Target == b.Target && a.Problem == b.Problem && a.Platform == b.Platform && a.Locale == b.Locale && a.TimeZone == b.TimeZone && a.LastSeen.Equal(b.LastSeen)
}

func same(a, b notification.Recipient) bool {
	return a.UserID == b.UserID && a.Target == b.Target && a.Locale == b.Locale && a.TimeZone == b.TimeZone && a.Platform == b.Platform && a.Tag == b.Tag &&
		slices.EqualFunc(a.Devices, b.Devices, sameDevice) &&
		maps.EqualFunc(a.Vars, b.Vars, func(x, y json.RawMessage) bool { return string(x) == string(y) })
}

func TestDecodeRecipient(t *testing.T) {
	for _, c := range elements {
		t.Run(c.name, func(t *testing.T) {
			got, err := DecodeRecipient([]byte(c.raw))
			if c.problem == "" {
				if err != nil || !same(got, c.want) {
					t.Errorf("decode %s: %+v, error %v, want %+v", c.raw, got, err, c.want)
				}
				return
			}
			malformed, ok := errors.AsType[*MalformedError](err)
			if !ok || !strings.Contains(malformed.Problem, c.problem) {
				t.Errorf("decode %s: %+v, error %v, want %q", c.raw, got, err, c.problem)
			}
		})
	}
}

// The common form must not take the slow path, which would slow down the dispatcher.
func TestThePlainPathTakesWhatIsCommon(t *testing.T) {
	for _, raw := range []string{
		`{"userId":"u1","fcmToken":"cXyZ:APA91b-_"}`, `{"userId":12}`, `{"fcmToken":"t","userId":"u","locale":"en","x":"y"}`,
		`{ "userId": "u1", "fcmToken": "" }`, `{"userId":"u1","vars":{"name":"Nguyễn","points":12}}`,
	} {
		if _, ok := decodePlain([]byte(raw)); !ok {
			t.Errorf("the plain path leaves %s to the other", raw)
		}
	}
	element := []byte(`{"userId":"u1","fcmToken":"cXyZ:APA91b"}`)
	if n := testing.AllocsPerRun(100, func() { _, _ = DecodeRecipient(element) }); n > 1 {
		t.Errorf("an element costs %v allocations, want 1", n)
	}
}

// agree checks that the fast path decodes what the slow one does.
func agree(t interface{ Errorf(string, ...any) }, raw []byte) {
	plain, ok := decodePlain(raw)
	if !ok {
		return
	}
	if other, err := decodeAny(raw); err != nil || !same(plain, other) {
		t.Errorf("%q: the plain path reads %+v, the other %+v, error %v", raw, plain, other, err)
	}
}

func FuzzPathsAgree(f *testing.F) {
	for _, c := range elements {
		f.Add([]byte(c.raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		agree(t, raw)
		r, err := DecodeRecipient(raw)
		if err == nil && (r.UserID == "" || !utf8.ValidString(r.UserID) || !utf8.ValidString(r.Target.Value)) {
			t.Errorf("%q: read as %+v", raw, r)
		}
	})
}

// Pieces of JSON in any order find more faults of the fast path than random bytes.
func TestPathsAgreeOnPieces(t *testing.T) {
	piece := rapid.SampledFrom([]string{
		`{`, `}`, `"`, `,`, `:`, ` `, "\t", `"userId"`, `"fcmToken"`, `"locale"`, `"vars"`, `"vars":{`, `"a":"b"`, `"u1"`, `""`, `1`, `0`, `-1`, `1.5`,
		`null`, `true`, `\`, "\x7f", "ü", "\xff", "\x00", `{}`, `"devices"`, `[]`, `"userId":"u1"`, `"fcmToken":"t"`, `{"userId":"u1"`,
	})
	rapid.Check(t, func(t *rapid.T) {
		agree(t, []byte(strings.Join(rapid.SliceOfN(piece, 0, 12).Draw(t, "pieces"), "")))
	})
}

func TestWhatIsEncodedIsRead(t *testing.T) {
	text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[ -~]*`))
	rapid.Check(t, func(t *rapid.T) {
		want := notification.Recipient{
			UserID: text.Filter(func(id string) bool {
				return id != "" && len(id) <= MaxUserID && !strings.ContainsRune(id, 0) && utf8.ValidString(id)
			}).Draw(t, "user"),
			Target:   notification.ParseToken(notification.ParseToken(text.Draw(t, "token")).Value),
			Tag:      rapid.SampledFrom([]string{"", "order-7", "é\""}).Draw(t, "tag"),
			Locale:   text.Draw(t, "locale"),
			TimeZone: text.Draw(t, "time zone"),
		}
		for _, name := range rapid.SliceOfN(text, 0, 3).Draw(t, "names") {
			if want.Vars == nil {
				want.Vars = map[string]json.RawMessage{}
			}
			want.Vars[name] = rapid.SampledFrom([]json.RawMessage{
				json.RawMessage(`"x"`), json.RawMessage(`1.50`), json.RawMessage(`{"a":[]}`), json.RawMessage(`null`),
			}).Draw(t, "value")
		}
		for i := range rapid.IntRange(0, 4).Draw(t, "devices") {
			d := notification.Device{Platform: rapid.SampledFrom([]string{"", "ios"}).Draw(t, "platform"), Locale: text.Draw(t, "device's locale")}
			d.Target = notification.ParseToken(fmt.Sprintf("%d:token", i))
			if rapid.Bool().Draw(t, "fid") {
				d.Target = notification.ParseFID(fmt.Sprintf("fid-%d", i))
			}
			d.LastSeen = rapid.SampledFrom([]time.Time{{}, time.Date(2026, 11, 30, 6, 0, 0, 5000000, time.UTC)}).Draw(t, "last seen")
			want.Devices = append(want.Devices, d)
		}
		switch len(want.Devices) {
		case 0:
		case 1:
			want.Target, want.Platform = notification.Target{}, ""
			single := want.ForDevice(want.Devices[0])
			checkReadBack(t, want, single)
			return
		default:
			want.Target = notification.Target{}
		}
		checkReadBack(t, want, want)
	})
}

func checkReadBack(t *rapid.T, written, want notification.Recipient) {
	encoded := EncodeRecipient([]byte("before"), written)
	got, err := DecodeRecipient(encoded[len("before"):])
	if err != nil || !same(got, want) {
		t.Errorf("%+v becomes %s becomes %+v, error %v, want %+v", written, encoded, got, err, want)
	}
}

// An invalid recipient must be refused, not corrected.
func TestWhatIsWronglyEncodedIsRefused(t *testing.T) {
	for _, r := range []notification.Recipient{
		{}, user("a\xff"), user("a\x00"), user(long + "x"), reach("u", "a\xff"),
		{UserID: "u", Vars: map[string]json.RawMessage{"a": nil}},
	} {
		if got, err := DecodeRecipient(EncodeRecipient(nil, r)); err == nil {
			t.Errorf("%+v was read as %+v", r, got)
		}
	}
}

func BenchmarkDecodeRecipient(b *testing.B) {
	for name, raw := range map[string]string{
		"plain":    `{"userId":"u1","fcmToken":"cXyZ0123456789:APA91bF0123456789abcdefghijklmnopqrstuvwxyz"}`,
		"personal": `{"userId":"u1","vars":{"name":"An"}}`,
	} {
		b.Run(name, func(b *testing.B) {
			element := []byte(raw)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := DecodeRecipient(element); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
