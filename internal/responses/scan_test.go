package responses

import (
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

// FuzzScan: whatever the scanner does not decline, encoding/json reads as the same.
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

// What we write ourselves is never left to the slow way, or the responder misses its pace.
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
