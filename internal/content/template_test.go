package content_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"fanfare/internal/content"
	"fanfare/internal/notification"
)

func compile(t testing.TB, message string) *content.Content {
	t.Helper()
	template, err := content.Compile(notification.Message(message))
	if err != nil {
		t.Fatal(err)
	}
	return template
}

// in returns a message with the text as its body.
func in(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return `{"notification":{"body":` + string(quoted) + `}}`
}

// body returns the text that a device would show.
func body(t testing.TB, m *content.Message) string {
	t.Helper()
	var message struct{ Notification struct{ Body string } }
	if err := json.Unmarshal(m.Text(), &message); err != nil {
		t.Fatalf("%v: %s", err, m.Text())
	}
	return message.Notification.Body
}

func TestFill(t *testing.T) {
	vars := object(`{"name":"Ann","empty":"","null":null,"n":1.50,"big":12345678901234567890,"no":false,
		"list":[1],"a":{"b":{"c":"deep"},"n":null,"s":"text"},"a.b":"flat","quote":"say \"hi\"\\\n","e":"é😀","sep":"\u2028<"}`)
	vars["spaced"], vars["lines"], vars["broken"] = json.RawMessage(` "Ann" `), json.RawMessage("\t7\r\n"), json.RawMessage("\"a\xff\"")
	profile := object(`{"name":"profile","null":"from profile","city":"Hue","a":{"n":"nested in profile"}}`)
	for _, c := range []struct{ text, want, unfilled string }{
		{text: "Hi {{name}}!", want: "Hi Ann!"},
		{text: "{{ name }}{{name|x}}", want: "AnnAnn"},
		{text: "{{city}}", want: "Hue"},
		{text: "{{spaced}} {{lines}} {{broken}}", want: "Ann 7 a\ufffd"},
		{text: "{{null}}", want: "from profile"},
		{text: "{{empty|default}}.", want: "."},
		{text: "{{n}} {{big}} {{no}}", want: "1.50 12345678901234567890 false"},
		{text: "{{who| my friend }}.", want: "my friend."},
		{text: "{{who|}}.", want: "."},
		{text: "{{who|a|b}}", want: "a|b"},
		{text: `{{who|"\}}`, want: `"\`},
		{text: "{{list|none}}", want: "none"},
		{text: "{{a|none}}", want: "none"},
		{text: "{{a.s}} {{a.b.c}} {{a.b}} {{a.n}}", want: "text deep flat nested in profile"},
		{text: "{{a.s.x|none}} {{a.|none}} {{.a|none}}", want: "none none none"},
		{text: "{{quote}}{{e}}{{sep}}", want: "say \"hi\"\\\né😀\u2028<"},
		{text: `"{{name}}"` + "\t\\ é \x01", want: `"Ann"` + "\t\\ é \x01"},
		{text: "}} { {name} {{name}}}}", want: "}} { {name} Ann}}"},
		{text: "nothing", want: "nothing"},
		{text: "{{who}}", unfilled: "who"},
		{text: "{{name}} {{ a.b.z }}", unfilled: "a.b.z"},
		{text: "{{list}}", unfilled: "list"},
	} {
		filled, err := compile(t, in(c.text)).Fill(vars, profile)
		if c.unfilled != "" {
			if unfilled, ok := errors.AsType[*content.UnfilledError](err); !ok || unfilled.Name != c.unfilled {
				t.Errorf("%s: got %v, want %q unfilled", c.text, err, c.unfilled)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
		} else if got := body(t, filled); got != c.want || !utf8.Valid(filled.Text()) {
			t.Errorf("%s: got %q in %q, want %q", c.text, got, filled.Text(), c.want)
		}
	}
}

func TestBrokenValuesFillNothing(t *testing.T) {
	template := compile(t, in("{{x|default}}"))
	for _, raw := range []string{``, ` `, `"`, `"a`, `"a"b"`, `a"`, `"\"`, `01`, `1,"x":2`, `true"`, `tru`, `nullx`, `-`, `{"a"`, "\"\x01\""} {
		filled, err := template.Fill(map[string]json.RawMessage{"x": json.RawMessage(raw)}, nil)
		if err != nil || body(t, filled) != "default" {
			t.Errorf("%q: got %s, %v", raw, filled.Text(), err)
		}
	}
}

// Each string value of a message is filled in, wherever it is.
func TestEveryStringIsFilled(t *testing.T) {
	const message = `{
		"fcm_options": {"analytics_label": "1{{x}}"},
		"data": {"k": "2{{x}}", "a.b": "3{{x}}"},
		"notification": {"title": "4{{x}}", "body": "5{{x}}", "image": "https://x/6{{x}}"},
		"android": {"collapse_key": "7{{x}}", "restricted_package_name": "8{{x}}", "ttl": "{{n}}s", "priority": "{{high}}",
			"data": {"k": "9{{x}}"}, "direct_boot_ok": "{{yes}}", "fcm_options": {"analytics_label": "10{{x}}"}, "notification": {
			"title": "11{{x}}", "body": "12{{x}}", "image": "https://x/13{{x}}", "ticker": "14{{x}}", "click_action": "15{{x}}",
			"title_loc_key": "16{{x}}", "title_loc_args": ["17{{x}}", "18{{x}}"], "body_loc_key": "k", "body_loc_args": ["19{{x}}"],
			"tag": "20{{x}}", "channel_id": "21{{x}}", "sound": "22{{x}}", "icon": "23{{x}}", "color": "#{{color}}",
			"event_time": "{{at}}", "vibrate_timings": ["{{n}}s"], "visibility": "{{public}}", "sticky": "{{yes}}", "notification_count": "{{n}}",
			"light_settings": {"color": {"red": "{{half}}"}, "light_on_duration": "{{n}}s", "light_off_duration": "1s"}}},
		"apns": {"headers": {"apns-collapse-id": "24{{x}}", "apns-priority": "{{ten}}"}, "live_activity_token": "25{{x}}",
			"fcm_options": {"image": "https://x/26{{x}}"}, "payload": {"custom": {"deep": ["27{{x}}", {"er": "28{{x}}"}]}, "aps": {
			"category": "29{{x}}", "thread-id": "30{{x}}", "badge": "{{n}}", "content-available": "{{n}}", "relevance-score": "{{half}}",
			"sound": {"name": "31{{x}}", "volume": "{{half}}", "critical": "{{n}}"},
			"alert": {"title": "32{{x}}", "loc-args": ["33{{x}}"]}}}},
		"webpush": {"headers": {"Topic": "34{{x}}", "TTL": "{{n}}"}, "data": {"k": "35{{x}}"}, "fcm_options": {"link": "https://x/36{{x}}"}, "notification": {
			"title": "37{{x}}", "tag": "38{{x}}", "badge": "39{{x}}", "actions": [{"action": "40{{x}}", "title": "41{{x}}"}],
			"timestamp": "{{n}}", "silent": "{{yes}}", "vibrate": [100, 1e2]}}
	}`
	values := map[string]string{
		`"x":"-"`: `{{x}}`, `"n":7`: `"{{n}}"`, `"yes":true`: `"{{yes}}"`, `"half":0.5`: `"{{half}}"`, `"color":"a0B1c2"`: `{{color}}`,
		`"high":"high"`: `{{high}}`, `"at":"2026-01-31T10:00:00Z"`: `{{at}}`, `"public":"PUBLIC"`: `{{public}}`, `"ten":"10"`: `{{ten}}`,
	}
	want, vars := message, []string{}
	want = strings.ReplaceAll(strings.ReplaceAll(want, `"{{n}}s"`, `"7s"`), `"TTL": "{{n}}"`, `"TTL": "7"`)
	for pair, placeholder := range values {
		_, value, _ := strings.Cut(pair, ":")
		if placeholder[0] != '"' {
			value = strings.Trim(value, `"`)
		}
		want, vars = strings.ReplaceAll(want, placeholder, value), append(vars, pair)
	}
	filled, err := compile(t, message).Fill(object("{"+strings.Join(vars, ",")+"}"), nil)
	if err != nil {
		t.Fatal(err)
	}
	want = strings.Replace(want, "2026-01-31T10:00:00Z", "2026-01-31T10:00:00.000000000Z", 1)
	if got := normal(t, string(filled.Text())); got != normal(t, want) {
		t.Errorf("got  %s\nwant %s", got, normal(t, want))
	}
}

// Where a number or a flag is wanted, a value becomes one. Another type ends the recipient, and a
// default of another type is a fault of the message.
func TestTypedPlaceholders(t *testing.T) {
	const badge, sticky, red, silent = `{"apns":{"payload":{"aps":{"badge":"{{v}}"}}}}`, `{"android":{"notification":{"sticky":"{{v}}"}}}`,
		`{"android":{"notification":{"light_settings":{"color":{"red":"{{v}}"},"light_on_duration":"1s","light_off_duration":"1s"}}}}`,
		`{"webpush":{"notification":{"silent":"{{v}}"}}}`
	for _, c := range []struct{ message, value, want string }{
		{badge, `3`, `3`}, {badge, `0`, `0`}, {badge, `"3"`, `3`}, {badge, `" 3 "`, `3`}, {badge, `-1`, `-1`},
		{badge, `"three"`, ""}, {badge, `""`, ""}, {badge, `1.5`, ""}, {badge, `true`, ""}, {badge, `3000000000`, ""}, {badge, `1e2`, ""}, {badge, `"03"`, ""}, {badge, `"+3"`, ""},
		{sticky, `true`, `true`}, {sticky, `"false"`, `false`}, {sticky, `1`, ""}, {sticky, `"yes"`, ""},
		{red, `0.25`, `0.25`}, {red, `1.01`, ""}, {red, `"NaN"`, ""}, {red, `0`, `0`}, {red, `1`, `1`},
		{red, `-0.1`, ""}, {red, `"+0.5"`, ""}, {red, `".5"`, ""}, {red, `"00.5"`, ""}, {red, `"0x1p-2"`, ""},
		{silent, `true`, `true`}, {silent, `1`, `1`}, {silent, `"1e3"`, `1e3`}, {silent, `"{}"`, ""}, {silent, `"null"`, ""}, {silent, `"x"`, ""},
	} {
		filled, err := compile(t, c.message).Fill(object(`{"v":`+c.value+`}`), nil)
		if c.want == "" {
			if invalid, is := errors.AsType[*content.ValueError](err); !is || strings.Contains(invalid.Error(), "three") {
				t.Errorf("%s with %s: %v", c.message, c.value, err)
			}
			continue
		}
		if err != nil || string(filled.Text()) != strings.Replace(c.message, `"{{v}}"`, c.want, 1) {
			t.Errorf("%s with %s: %v", c.message, c.value, err)
		}
	}
	for _, message := range []string{badge, sticky, red, silent} {
		if _, err := content.Compile([]byte(strings.Replace(message, "{{v}}", "{{v|many}}", 1))); err == nil || !strings.Contains(err.Error(), `the default of {{v}} is "many"`) {
			t.Errorf("%s with a text as its default: %v", message, err)
		}
	}
	for _, text := range []string{"{{v}}1", "1{{v}}", "{{v}}{{v}}"} {
		if _, err := content.Compile([]byte(strings.Replace(badge, "{{v}}", text, 1))); err == nil || !strings.Contains(err.Error(), "exactly one placeholder") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// A value that breaks a field which FCM checks ends its recipient.
func TestFilledValuesAreChecked(t *testing.T) {
	for message, bad := range map[string]string{
		`{"android":{"notification":{"color":"{{v}}"}}}`:                                         `red`,
		`{"android":{"ttl":"{{v}}"}}`:                                                            `1h`,
		`{"android":{"priority":"{{v}}"}}`:                                                       `urgent`,
		`{"android":{"notification":{"event_time":"{{v}}"}}}`:                                    `soon`,
		`{"android":{"notification":{"title_loc_key":"{{v}}","title_loc_args":["x"]}}}`:          ``,
		`{"notification":{"image":"https://x/{{v}}"}}`:                                           `a b\u0001`,
		`{"webpush":{"fcm_options":{"link":"{{v}}"}}}`:                                           `http://x/`,
		`{"fcm_options":{"analytics_label":"{{v}}"}}`:                                            `a b`,
		`{"apns":{"headers":{"apns-collapse-id":"{{v}}"}}}`:                                      strings.Repeat("x", 65),
		`{"apns":{"headers":{"apns-priority":"{{v}}"}}}`:                                         `7`,
		`{"webpush":{"headers":{"TTL":"{{v}}"}}}`:                                                `soon`,
		`{"android_v2":{"remote_notification":{"notification":{"notification_count":"{{v}}"}}}}`: `x`,
	} {
		_, err := compile(t, message).Fill(object(`{"v":"`+bad+`"}`), nil)
		if _, is := errors.AsType[*content.ValueError](err); !is {
			t.Errorf("%s with %q: %v", message, bad, err)
		}
	}
}

func TestIsPersonal(t *testing.T) {
	for _, c := range []struct {
		message string
		names   []string
	}{
		{`{"notification":{"title":"Hi"}}`, nil},
		{`{"data":{"a":"{{b}} {{a}}","c":"{{b|x}} {{ c.d }}"}}`, []string{"b", "a", "c.d"}},
		{`{"notification":{"title":"\u007b\u007bx}}"}}`, []string{"x"}},
	} {
		template := compile(t, c.message)
		if names := template.Names(); !slices.Equal(names, c.names) || template.IsPersonal() != (len(c.names) > 0) {
			t.Errorf("%s: got %v, personal %v", c.message, names, template.IsPersonal())
		}
	}
	filled, err := compile(t, "{ \"data\": {\"a\": \"b\"} }\n").Fill(nil, nil)
	if err != nil || string(filled.Text()) != `{"data":{"a":"b"}}` {
		t.Errorf("a message for all: got %s, %v", filled.Text(), err)
	}
}

func TestIsFilledBy(t *testing.T) {
	template := compile(t, in("{{a}} {{b|default}}"))
	for vars, want := range map[string]bool{
		`{"a":"x","b":1}`: true, `{"a":"x"}`: false, `{"b":1}`: false, `{"a":null,"b":1}`: false, `{}`: false,
	} {
		if got := template.IsFilledBy(object(vars)); got != want {
			t.Errorf("%s: got %v", vars, got)
		}
	}
	if !compile(t, in("nothing")).IsFilledBy(nil) {
		t.Error("a message for all needs a profile")
	}
}

func TestCompileRefuses(t *testing.T) {
	for message, field := range map[string]string{
		in("Hi {{name"):                   "notification.body",
		in("Hi {{}}"):                     "notification.body",
		in("{{ |x}}"):                     "notification.body",
		in("{{{name}}}"):                  "notification.body",
		in("{{a {{b}}"):                   "notification.body",
		`{"data":{"k":"{{a}}","l":"{{"}}`: "data.l",
		`{"webpush":{"notification":{"actions":[{},{"title":"{{"}]}}}`:     "webpush.notification.actions[1].title",
		`{"apns":{"payload":{"aps":{"alert":{"loc-args":["a","{{}}"]}}}}}`: "apns.payload.aps.alert.loc-args[1]",
		`{"data":{"{{x}}":"1"}}`:                  "data.{{x}}",
		`{"apns":{"payload":{"a":{"b{{x}}":1}}}}`: "apns.payload.a.b{{x}}",
		`{"apns":{"headers":{"{{x}}":"1"}}}`:      "apns.headers.{{x}}",
	} {
		_, err := content.Compile(notification.Message(message))
		if fault, ok := errors.AsType[*notification.Fault](err); !ok || fault.Field != "message."+field {
			t.Errorf("%s: got %v, want a fault of %s", message, err, field)
		}
	}
	for _, message := range []string{``, `{`, `{}{}`, `{"a":}`} {
		if _, err := content.Compile(notification.Message(message)); err == nil {
			t.Errorf("%q: accepted", message)
		}
	}
}

// A dotted object is decoded once for each recipient, and not for each of its placeholders.
func TestDottedNamesShareTheirObject(t *testing.T) {
	text, vars := dotted(100)
	template := compile(t, text)
	allocs := testing.AllocsPerRun(10, func() {
		if _, err := template.Fill(vars, nil); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > 1000 { // a map of 100 texts, and not 100 of them
		t.Errorf("%v allocations", allocs)
	}
}

// A message that is filled in from the element takes three allocations with its request, as
// BenchmarkRender reports them. One that is the same for all takes the request's alone.
func TestAllocationsOfARequest(t *testing.T) {
	personal, plain, now := compile(t, personalMessage), compile(t, plainMessage), time.Now()
	vars := object(`{"points":1250,"id":"u-778899","name":"Trần Thị Ánh","city":"Huế"}`)
	for name, c := range map[string]struct {
		most    float64
		request func() []byte
	}{
		"personal": {3, func() []byte {
			m, err := personal.Fill(vars, nil)
			if err != nil {
				t.Fatal(err)
			}
			return m.AppendRequest(nil, envelope, now)
		}},
		"the same for all": {1, func() []byte { return plain.Shared().AppendRequest(nil, envelope, now) }},
	} {
		if got := testing.AllocsPerRun(100, func() { c.request() }); got > c.most {
			t.Errorf("%s: %v allocations, want at most %v", name, got, c.most)
		}
	}
}

// dotted is a message with n placeholders of one object, and its values.
func dotted(n int) (message string, vars map[string]json.RawMessage) {
	var text, members strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "{{o.%d}}", i)
		fmt.Fprintf(&members, `"%d":"%d",`, i, i%10)
	}
	return in(text.String()), object(`{"o":{` + strings.TrimSuffix(members.String(), ",") + `}}`)
}

// normal sorts members and keeps every digit.
func normal(t testing.TB, text string) string {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	out, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// An empty text is sent where every text is good. Where FCM checks the form, the field is left out.
func TestEmptyTexts(t *testing.T) {
	const want = `{"notification":{"title":""},"data":{"k":""},"fcm_options":{}}`
	for _, message := range []string{
		`{"notification":{"title":"","image":""},"data":{"k":""},"fcm_options":{"analytics_label":""}}`,
		`{"notification":{"title":"{{v}}","image":"{{v}}"},"data":{"k":"{{v}}"},"fcm_options":{"analytics_label":"{{x|}}"}}`,
	} {
		filled, err := compile(t, message).Fill(object(`{"v":""}`), nil)
		if err != nil || string(filled.Text()) != want {
			t.Errorf("%s: %s, %v", message, filled.Text(), err)
		}
	}
}
