package where_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"fanfare/internal/where"
)

const element = `{"userId":7,"platform":"iOS","locale":"pt-BR","timeZone":"Asia/Saigon","tag":"t","premium":true,"level":12,
"vars":{"country":"VN","age":"31","first name":"An","score":4.5,"tags":["a","b"],"address":{"city":"Hue"},"empty":""},"data":{"plan":"gold"}}`

const profile = `{"country":"TH","orders":3,"address":{"city":"Bangkok"},"vip":true,"odd":null}`

func compile(t testing.TB, text string) *where.Filter {
	t.Helper()
	f, err := where.Compile(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return f
}

func decode(t testing.TB, text string) (fields map[string]json.RawMessage) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &fields); err != nil {
		t.Fatal(err)
	}
	return fields
}

func TestMatch(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		`platform == "ios" && country in ["VN", "TH"]`: true,
		`platform == "ios" && country in ["DE"]`:       false,
		`userId == "7"`:                                true,
		`locale startsWith "pt"`:                       true,
		`locale endsWith "PT"`:                         false,
		`timeZone contains "Asia/"`:                    true,
		`locale matches "^(pt|es)"`:                    true,
		`tag == "t" and premium`:                       true,
		`not premium`:                                  false,
		`level > 11 && level <= 12`:                    true,
		`number(age) >= 31`:                            true,
		`number(age) > 31.5`:                           false,
		`score < 5 && score > 4`:                       true,
		`vars["first name"] == "An"`:                   true,
		`vars.address.city == "Hue"`:                   true,
		`address.city == "Hue"`:                        true,
		`data.plan == "gold"`:                          true,
		`"a" in tags && tags contains "b"`:             true,
		`any(tags, # == "b")`:                          true,
		`let c = country; c == "VN"`:                   true,
		`profile.country == "TH" && profile.vip`:       true,
		`profile.address.city == "Bangkok"`:            true,
		`profile.orders > 2 ? true : false`:            true,
		`len(country) == 2 && lower(country) == "vn"`:  true,

		`country < "VO" && country > "VM"`:   true,
		`country <= "VN" && country >= "VN"`: true,
		`country < "VN"`:                     false,
		`country > "VN"`:                     false,
		`country <= "VM"`:                    false,
		`country >= "VO"`:                    false,
		`level < 12`:                         false,
		`level >= 12`:                        true,
		`level >= 13 || level <= 11`:         false,
		`number(level) == 12`:                true,
		`"c" in tags`:                        false,
		`tags contains "c"`:                  false,
		`country contains "N"`:               true,

		// What is missing is nil.
		`gone == nil && country != nil`:            true,
		`gone == "x"`:                              false,
		`gone in ["x"]`:                            false,
		`"x" in gone`:                              false,
		`gone > 3 || gone < 3 || gone >= 3`:        false,
		`3 > gone`:                                 false,
		`gone contains "x"`:                        false,
		`gone startsWith "x" || "x" endsWith gone`: false,
		`gone.deeper.still == "x"`:                 false,
		`gone`:                                     false,
		`not gone`:                                 true,
		`gone && premium`:                          false,
		`gone ? true : false`:                      false,
		`number(gone) > 3 || number(empty) > 3`:    false,
		`profile.gone.deeper > 3`:                  false,
		`profile.odd == nil`:                       true,
		`(gone ?? "x") == "x"`:                     true,
	} {
		got, err := compile(t, text).Match([]byte(element), decode(t, profile))
		if err != nil || got != want {
			t.Errorf("%s: %t, %v; want %t", text, got, err, want)
		}
	}
	for _, text := range []string{`profile.country == "TH"`, `profile == nil ? false : true`} {
		if got, err := compile(t, text).Match([]byte(element), nil); got || err != nil {
			t.Errorf("%s without a profile: %t, %v", text, got, err)
		}
	}
}

// The fault of a recipient's values is an error, which names no value.
func TestMatchFails(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		`age > 30`:             "a text > a number: want two numbers or two texts",
		`number(country) > 1`:  "number: a text is no number",
		`country`:              "bool(string)",
		`country && premium`:   "a text is neither true nor false",
		`locale.deeper == "x"`: "invalid operation",
		`premium > 1`:          "a flag > a number",
		`address > 1`:          "an object > a number",
		`tags > 1`:             "a list > a number",
		`1 >= country`:         "a number >= a text",
		`number(premium) > 1`:  "number: a flag is no number",
	} {
		got, err := compile(t, text).Match([]byte(element), nil)
		if got || err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "VN") {
			t.Errorf("%s: %t, %v; want %q", text, got, err, says)
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		`platform = "ios"`:             "column 10: unexpected token Operator(\"=\")",
		`platform == `:                 "unexpected token EOF",
		``:                             "unexpected token EOF",
		`"ios"`:                        "expected bool, but got string",
		`1 + 2`:                        "expected bool, but got int",
		`nosuch(country)`:              "column 1: there is no function nosuch",
		`now() > date("2026-01-01")`:   "column 1: there is no function now",
		"platform == \"ios\" &&\n  (x": "line 2, column",
		strings.Repeat("x", 9000):      "over the limit of 8192",
		`country matches "("`:          "missing closing )",
		`$compare("<", 1, 2)`:          "column 1: there is no function $compare",
		`true && $env.x == 1`:          "column 9: there is no function $env",
	} {
		_, err := where.Compile(text)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%.30s is refused with %v, want %q", text, err, says)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	f := compile(t, `let x = plan; contry == "VN" || x == "gold" || number(age) > 3 || any(tags, # == "q")`)
	if _, err := f.Match([]byte(element), nil); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(f.Unseen()); got != "[contry plan]" || f.NeedsProfile() {
		t.Errorf("unseen %s, profile %t", got, f.NeedsProfile())
	}
	if f := compile(t, `profile.x == 1 && country == "VN"`); !f.NeedsProfile() || fmt.Sprint(f.Unseen()) != "[country]" {
		t.Errorf("unseen %s, profile %t", f.Unseen(), f.NeedsProfile())
	}
}

// BenchmarkMatch prints the cost of a recipient.
func BenchmarkMatch(b *testing.B) {
	row := []byte(`{"userId":"user-1234567","fcmToken":"fhMpVD00JNQo850aZoqq2L:APA91bHun4MxP5egoKMwt2KZFBaFUH","vars":{"country":"VN","city":"Hue"},"platform":"ios"}`)
	known := decode(b, profile)
	for name, text := range map[string]string{"element": `platform == "ios" && country in ["VN", "TH"]`, "profile": `platform == "ios" && profile.orders > 2`} {
		b.Run(name, func(b *testing.B) {
			f := compile(b, text)
			b.ReportAllocs()
			for b.Loop() {
				if ok, err := f.Match(row, known); !ok || err != nil {
					b.Fatal(ok, err)
				}
			}
		})
	}
}
