package notification

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestNoLogShowsATokenInFull(t *testing.T) {
	const token = "fhMpVD00JNQo850aZoqq2L:APA91b-zKafEZMKYgkngUPCidceHBmjRq5Tj"
	var out bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
		slog.New(handler).Info("sent", "token", ParseToken(token))
	}
	fmt.Fprintf(&out, "%v %s", ParseToken(token), ParseToken(token))
	if strings.Contains(out.String(), token) || strings.Count(out.String(), "fhMpVD…q5Tj") != 4 {
		t.Errorf("shown as %s", out.String())
	}
}
