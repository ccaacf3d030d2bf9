package profiles_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"fanfare/internal/notification"
	"fanfare/internal/profiles"
)

func compile(t testing.TB, message string) *profiles.Template {
	t.Helper()
	template, err := profiles.Compile(notification.Message(message))
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
func body(t testing.TB, m notification.Message) string {
	t.Helper()
	var message struct{ Notification struct{ Body string } }
	if err := json.Unmarshal(m, &message); err != nil {
		t.Fatalf("%v: %s", err, m)
	}
	return message.Notification.Body
}

func TestFill(t *testing.T) {
	vars := object(`{"name":"Ann","empty":"","null":null,"n":1.50,"big":12345678901234567890,"no":false,
		"list":[1],"a":{"b":{"c":"deep"},"n":null,"s":"text"},"a.b":"flat","quote":"say \"hi\"\\\n","e":"é😀","sep":"\u2028<"}`)
	profile := object(`{"name":"profile","null":"from profile","city":"Hue","a":{"n":"nested in profile"}}`)
	for _, c := range []struct{ text, want, unfilled string }{
		{text: "Hi {{name}}!", want: "Hi Ann!"},
		{text: "{{ name }}{{name|x}}", want: "AnnAnn"},
		{text: "{{city}}", want: "Hue"},
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
			if unfilled, ok := errors.AsType[*profiles.UnfilledError](err); !ok || unfilled.Name != c.unfilled {
				t.Errorf("%s: got %v, want %q unfilled", c.text, err, c.unfilled)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
		} else if got := body(t, filled); got != c.want {
			t.Errorf("%s: got %q, want %q", c.text, got, c.want)
		}
	}
}

func TestBrokenValuesFillNothing(t *testing.T) {
	template := compile(t, in("{{x|default}}"))
	for _, raw := range []string{``, ` `, `"`, `"a`, `"a"b"`, `a"`, `"\"`, `01`, `1,"x":2`, `true"`, `tru`, `nullx`, `-`, `{"a"`, "\"\x01\""} {
		filled, err := template.Fill(map[string]json.RawMessage{"x": json.RawMessage(raw)}, nil)
		if err != nil || body(t, filled) != "default" {
			t.Errorf("%q: got %s, %v", raw, filled, err)
		}
	}
}

func TestWherePlaceholdersAreRecognised(t *testing.T) {
	const message = `{
		"name": "{{x}}", "fcm_options": {"analytics_label": "{{x}}"},
		"data": {"{{x}}": "1{{x}}", "a.b": "2{{x}}"},
		"notification": {"title": "3{{x}}", "Body": "4{{x}}", "image": "5{{x}}", "other": "{{x}}"},
		"android": {"collapse_key": "{{x}}", "data": {"k": "6{{x}}"}, "notification": {
			"title": "7{{x}}", "body": "8{{x}}", "image": "9{{x}}", "ticker": "10{{x}}", "click_action": "11{{x}}",
			"title_loc_args": ["12{{x}}", "13{{x}}"], "body_loc_args": ["14{{x}}"], "tag": "{{x}}", "notification_count": 7}},
		"apns": {"headers": {"apns-collapse-id": "{{x}}"}, "fcm_options": {"image": "15{{x}}"}, "payload": {"custom": "{{x}}", "aps": {
			"category": "{{x}}", "alert": {"title": "16{{x}}", "subtitle": "17{{x}}", "body": "18{{x}}", "loc-args": ["19{{x}}"],
			"title-loc-args": ["20{{x}}"], "subtitle-loc-args": ["21{{x}}"]}}}},
		"webpush": {"headers": {"Topic": "{{x}}"}, "data": {"k": "22{{x}}"}, "fcm_options": {"link": "23{{x}}"}, "notification": {
			"title": "24{{x}}", "body": "25{{x}}", "image": "26{{x}}", "icon": "27{{x}}", "tag": "{{x}}",
			"actions": [{"action": "{{x}}", "title": "28{{x}}"}], "vibrate": [100, 1e2]}}
	}`
	template := compile(t, message)
	filled, err := template.Fill(object(`{"x":"-"}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := message
	for n := range 28 {
		want = strings.Replace(want, itoa(n+1)+"{{x}}", itoa(n+1)+"-", 1)
	}
	if strings.Count(want, "{{x}}") != 12 {
		t.Fatalf("the test's message is wrong: %d placeholders stay", strings.Count(want, "{{x}}"))
	}
	if got := string(filled); got != compacted(t, want) {
		t.Errorf("got  %s\nwant %s", got, compacted(t, want))
	}

	asText := compile(t, `{"apns":{"payload":{"aps":{"alert":"Hi {{x}}"}}}}`)
	filled, err = asText.Fill(object(`{"x":"Ann"}`), nil)
	if err != nil || string(filled) != `{"apns":{"payload":{"aps":{"alert":"Hi Ann"}}}}` {
		t.Errorf("an alert that is a text: got %s, %v", filled, err)
	}
}

func TestIsPersonal(t *testing.T) {
	for _, c := range []struct {
		message string
		names   []string
	}{
		{`{"notification":{"title":"Hi"}}`, nil},
		{`{"notification":{"tag":"{{x}}"},"fid":"{{y}}"}`, nil},
		{`{"data":{"a":"{{b}} {{a}}","c":"{{b|x}} {{ c.d }}"}}`, []string{"b", "a", "c.d"}},
		{`{"notification":{"title":"\u007b\u007bx}}"}}`, []string{"x"}},
	} {
		template := compile(t, c.message)
		if names := template.Names(); !slices.Equal(names, c.names) || template.IsPersonal() != (len(c.names) > 0) {
			t.Errorf("%s: got %v, personal %v", c.message, names, template.IsPersonal())
		}
	}
	filled, err := compile(t, "{ \"data\": {\"a\": \"b\"} }\n").Fill(nil, nil)
	if err != nil || string(filled) != `{"data":{"a":"b"}}` {
		t.Errorf("a message for all: got %s, %v", filled, err)
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
		`{"webpush":{"notification":{"actions":[{},{"title":"{{"}]}}}`:     "webpush.notification.actions.1.title",
		`{"apns":{"payload":{"aps":{"alert":{"loc-args":["a","{{}}"]}}}}}`: "apns.payload.aps.alert.loc-args.1",
	} {
		_, err := profiles.Compile(notification.Message(message))
		if fault, ok := errors.AsType[*notification.Fault](err); !ok || fault.Field != "message."+field {
			t.Errorf("%s: got %v, want a fault of %s", message, err, field)
		}
	}
	for _, message := range []string{``, `{`, `{}{}`, `{"a":}`} {
		if _, err := profiles.Compile(notification.Message(message)); err == nil {
			t.Errorf("%q: accepted", message)
		}
	}
}
