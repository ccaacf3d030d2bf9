package terminal

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestControlCharactersAreEscaped(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Malmö 🎈\ta\n":          "Malmö 🎈\ta\n",
		"a\x1b[31mb":            `a\x1b[31mb`,
		"a\rb\bc\ad\x7f":        `a\x0db\x08c\x07d\u007f`,
		"a\u202eb\u2066c\u200b": `a\u202eb\u2066c\u200b`,
		"a\u0085\u009b31m":      `a\u0085\u009b31m`,
		"a\u2028b\ufeff\u00a0":  `a\u2028b\ufeff\u00a0`,
		"a\xffb\xc3":            `a\xffb\xc3`,
		"\U000e0001":            `\udb40\udc01`,
	} {
		var got strings.Builder
		o := New(&got)
		if n, err := o.Write([]byte(text)); n != len(text) || err != nil || o.Err() != nil {
			t.Errorf("%q: %d bytes, %v, %v", text, n, err, o.Err())
		}
		if got.String() != want {
			t.Errorf("%q is printed as %s, want %s", text, got.String(), want)
		}
	}
}

// A text prints the same however it is cut. JSON means the same before and after.
func TestOutputLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.RuneFrom(nil, unicode.Cc, unicode.Cf, unicode.Co)),
			rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(t, "text")
		cut := rapid.IntRange(0, len(text)).Draw(t, "cut")
		var whole, pieces, object strings.Builder
		a, b := New(&whole), New(&pieces)
		_, _ = io.WriteString(a, text)
		_, _ = io.WriteString(b, text[:cut])
		_, _ = io.WriteString(b, text[cut:])
		if a.Err() != nil || b.Err() != nil || whole.String() != pieces.String() {
			t.Fatalf("%q is printed as %q, in pieces as %q", text, whole.String(), pieces.String())
		}
		for _, r := range whole.String() {
			if r != '\n' && r != '\t' && !unicode.IsPrint(r) || r == utf8.RuneError && !strings.Contains(text, "\ufffd") {
				t.Fatalf("%q is printed with %q", text, r)
			}
		}
		valid := strings.ToValidUTF8(text, "?")
		if err := json.NewEncoder(New(&object)).Encode(valid); err != nil {
			t.Fatal(err)
		}
		var back string
		if err := json.Unmarshal([]byte(object.String()), &back); err != nil || back != valid {
			t.Fatalf("%q becomes %s becomes %q, error %v", valid, object.String(), back, err)
		}
	})
}

// full is a stream that takes some bytes only.
type full struct {
	left int
	err  error
}

func (f *full) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, f.err
	}
	return len(p), nil
}

func TestFirstErrorIsKept(t *testing.T) {
	t.Parallel()
	for _, cause := range []error{syscall.ENOSPC, syscall.EPIPE, os.ErrClosed} {
		f := &full{left: 3, err: cause}
		o := New(f)
		_, first := io.WriteString(o, "abc")
		_, second := io.WriteString(o, "d")
		f.left, f.err = 0, io.ErrShortWrite
		_, later := io.WriteString(o, "d")
		f.left = 10
		_, third := io.WriteString(o, "e")
		lost, is := errors.AsType[*WriteError](o.Err())
		if first != nil || third != nil || !errors.Is(later, io.ErrShortWrite) || errors.Is(o.Err(), io.ErrShortWrite) || !errors.Is(second, cause) || !is || !errors.Is(lost, cause) || lost.IsBrokenPipe() != errors.Is(cause, syscall.EPIPE) {
			t.Errorf("%v: %v, %v, %v; remembered %v", cause, first, second, third, o.Err())
		}
	}
}
