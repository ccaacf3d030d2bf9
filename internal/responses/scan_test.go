package responses

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"
	"unicode/utf8"

	"fanfare/internal/notification"
)

func example() notification.Result {
	return notification.Result{
		CampaignID: "spring-sale", UserID: "u1234567", Status: notification.StatusFailed, ErrorCode: "UNREGISTERED",
		Error: "Requested entity was not found.", Attempts: 1, TokenRemoved: true,
		Token: "dGhpcyBpcyBhIHRva2VuIG9mIHVzdWFsIGxlbmd0aA:APA91bHPRgkF3JUikC4ENAHEeMrd41Zxv3hVZjC9KtT8OvPVGJ-hQMRKRrZuJAEcl7B338qju59zJMjw2DELjzEvxwYv7hH5Ynpc1ODQ0aT4U4OFEeco8ohsN5PjL1iC2dNtk2BAokeMCg2ZXKqpc8FXKmhX94kIxQ",
		At:    time.UnixMilli(1772600767089).UTC(), ResultID: "019cb6a1-5c5e-7a51-9c5e-1b7a3c5e7a51:1234567",
	}
}

// FuzzScan checks that encoding/json reads everything that the scanner accepts, with the same
// result.
func FuzzScan(f *testing.F) {
	r := example()
	f.Add(Append(nil, &r))
	for _, s := range []string{
		`{"campaignId":"1","raw":"e10=","attempts":012}`, `{"attempts":-1}`, `{"attempts":999999999,"tokenRemoved":false}`,
		`{"at":"2026-03-04T05:06:07Z"}`, `{"raw":""}`, `{"tokenRemoved":truer}`, `{}`, `{"userId":"a","userId":"b"}`,
		`{"error":"tab	"}`, `{"campaignid":"1"}`, `{"status":"sent"}}`, `{"status":"sent",}`, `{"attempts":}`, `{"at":""}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if !utf8.Valid(raw) {
			return
		}
		fast, plain := scanPlain(string(raw))
		if !plain {
			return
		}
		slow, err := decodeAny(raw)
		if err != nil || !reflect.DeepEqual(fast, slow) {
			t.Errorf("%q\nscanned %+v\ndecoded %+v, error %v", raw, fast, slow, err)
		}
	})
}

// The scanner accepts everything that Append writes. Otherwise the responder would be too slow.
func TestScannerReadsOurOwnWriting(t *testing.T) {
	r := example()
	got, plain := scanPlain(string(Append(nil, &r)))
	if !plain || !reflect.DeepEqual(got, r) {
		t.Errorf("plain %t\n got %+v\nwant %+v", plain, got, r)
	}
}

func BenchmarkDecode(b *testing.B) {
	r := example()
	raw := Append(nil, &r)
	b.Run("plain", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Decode(raw); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding-json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := decodeAny(raw); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	r := example()
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		out = Append(out[:0], &r)
	}
}

// A time that SQL cannot store is malformed. It would make a whole batch fail.
func TestMomentsOutOfBoundsAreMalformed(t *testing.T) {
	for at, want := range map[string]bool{
		"2026-01-31T10:00:00.000Z": true, "1970-01-01T00:00:00Z": true, "9999-12-31T23:59:59Z": true,
		"0000-01-01T00:00:00Z": false, "0000-01-01T00:00:00+14:00": false, "1969-12-31T23:59:59Z": false,
		"9999-12-31T23:59:59-14:00": false, "10000-01-01T00:00:00Z": false, "0001-01-01T00:00:00Z": false, "-0001-01-01T00:00:00Z": false,
	} {
		for _, form := range []string{
			`{"campaignId":"42","userId":"u1","status":"sent","attempts":1,"at":%q,"resultId":"r"}`,
			`{ "at": %q, "campaignId": 42, "userId": "u1", "status": "sent", "attempts": 99999999999999 }`,
		} {
			r, err := Decode(fmt.Appendf(nil, form, at))
			if _, malformed := errors.AsType[*MalformedError](err); malformed == want || err == nil != want {
				t.Errorf("%s: %v, want it taken: %t", at, err, want)
			}
			if err == nil && (r.Attempts < 0 || r.Attempts > 1_000_000) {
				t.Errorf("%d attempts", r.Attempts)
			}
		}
	}
}
