package fcm

import (
	"encoding/json"
	"strings"
	"testing"
)

// Details of other types decide nothing, whatever members they have.
func TestDetailsOfOtherTypesAreIgnored(t *testing.T) {
	quota := func(kind string, subjects ...string) errorDetail {
		d := errorDetail{Type: kind}
		for _, s := range subjects {
			subject, description, _ := strings.Cut(s, "|")
			d.Violations = append(d.Violations, quotaViolation{subject, description})
		}
		return d
	}
	for name, c := range map[string]struct {
		details []errorDetail
		want    QuotaScope
	}{
		"none":                  {nil, QuotaProject},
		"another type":          {[]errorDetail{quota("other", "topic:t")}, QuotaProject},
		"one beside another":    {[]errorDetail{quota("other", "topic:t"), quota(typeQuotaFailure, "device:d")}, QuotaDevice},
		"a topic":               {[]errorDetail{quota(typeQuotaFailure, "Topic:t")}, QuotaTopic},
		"a project":             {[]errorDetail{quota(typeQuotaFailure, "project:p|device rate")}, QuotaProject},
		"by description":        {[]errorDetail{quota(typeQuotaFailure, "|Device rate exceeded")}, QuotaDevice},
		"topic by description":  {[]errorDetail{quota(typeQuotaFailure, "|topic rate exceeded")}, QuotaTopic},
		"two alike":             {[]errorDetail{quota(typeQuotaFailure, "device:d", "device:e")}, QuotaDevice},
		"two that differ":       {[]errorDetail{quota(typeQuotaFailure, "device:d", "topic:t")}, QuotaProject},
		"two in two details":    {[]errorDetail{quota(typeQuotaFailure, "device:d"), quota(typeQuotaFailure, "topic:t")}, QuotaProject},
		"what no one knows yet": {[]errorDetail{quota(typeQuotaFailure, "planet:p")}, QuotaProject},
	} {
		if got := (errorBody{Details: c.details}).quotaScope(); got != c.want {
			t.Errorf("%s: scope %v, want %v", name, got, c.want)
		}
	}
	field := []fieldViolation{{Field: "message.token"}, {Field: "message.data"}}
	if v, found := (errorBody{Details: []errorDetail{{Type: "other", FieldViolations: field}}}).payloadViolation(); found {
		t.Errorf("found %+v in a detail of another type", v)
	}
	if v, found := (errorBody{Details: []errorDetail{{Type: typeBadRequest, FieldViolations: field}}}).payloadViolation(); !found || v != field[1] {
		t.Errorf("found %+v, want %+v", v, field[1])
	}
}

// What the SDK would send differs where FCM would see a difference.
func TestDifferencesAreFound(t *testing.T) {
	decode := func(text string) (v any) {
		dec := json.NewDecoder(strings.NewReader(text))
		dec.UseNumber()
		if err := dec.Decode(&v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	long := strings.Repeat("9", longNumber)
	for _, c := range []struct {
		own, sent, want string
		strict          bool
	}{
		{`["a","b"]`, `["a","b"]`, "", false},
		{`["a","b"]`, `["a","c"]`, "m[1]", false},
		{`["a"]`, `["a","b"]`, "m", false},
		{`["a","b"]`, `["a"]`, "m", false},
		{`["a"]`, `"a"`, "m", false},
		{`[]`, `null`, "", false},
		{`[""]`, `null`, "m", false},
		{`[{"a":[1]}]`, `[{"a":[2]}]`, "m[0].a[0]", false},
		{`1`, `1.0`, "", false},
		{`100`, `1e2`, "", false},
		{`0`, `null`, "", false},
		{`0`, `null`, "m", true},
		{`false`, `""`, "", false},
		{`true`, `null`, "m", false},
		{`1e1000`, `10e999`, "m", false},
		{`1e099`, `10e98`, "", false},
		{long, long, "", false},
		{long + ".0", long, "m", false},
	} {
		if got := compareValues("m", decode(c.own), decode(c.sent), c.strict); got != c.want {
			t.Errorf("%s and %s differ at %q, want %q", c.own, c.sent, got, c.want)
		}
	}
}

// All that is wrong with options is named at once.
func TestBadOptionsAreNamed(t *testing.T) {
	if err := ProbeEndpoint(t.Context(), Options{Client: "other", Endpoint: "nowhere"}); err == nil {
		t.Error("an endpoint is probed with bad options")
	} else {
		for _, want := range []string{"check FCM options", `client is "other"`, "logger is required", `endpoint "nowhere"`} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %q", err, want)
			}
		}
	}
}
