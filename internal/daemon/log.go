package daemon

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"strings"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/redact"
	"fanfare/internal/terminal"
	"fanfare/internal/warnings"
)

// NewLogger makes the program's logger, which abbreviates tokens and hides passwords (see Scrub).
// Level is debug, info, warn or error. Format is json, text, or auto: text on a terminal, else
// JSON. Repeated warnings are counted; see package warnings and FlushWarnings.
func NewLogger(w io.Writer, level, format string) (*slog.Logger, error) {
	var least slog.Level
	if err := least.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("log level %q: use debug, info, warn or error", level)
	}
	options := &slog.HandlerOptions{Level: least, ReplaceAttr: replaceAttr}
	switch {
	case format == "json", format == "auto" && !terminal.Is(w):
		return slog.New(warnings.NewHandler(slog.NewJSONHandler(scrubber{w}, options), Scrub)), nil
	case format == "text", format == "auto":
		return slog.New(warnings.NewHandler(slog.NewTextHandler(scrubber{w}, options), Scrub)), nil
	}
	return nil, fmt.Errorf("log format %q: use auto, json or text", format)
}

// FlushWarnings writes the counts of repeated warnings, at the end of a program.
func FlushWarnings(log *slog.Logger) {
	if h, ok := log.Handler().(*warnings.Handler); ok {
		h.Flush()
	}
}

// replaceAttr is a slog ReplaceAttr. It hides secrets by their attribute's name, and makes
// durations readable in JSON too.
func replaceAttr(groups []string, attr slog.Attr) slog.Attr {
	if attr.Value.Kind() == slog.KindDuration {
		attr.Value = slog.StringValue(attr.Value.Duration().String())
	}
	return hideByName(groups, attr)
}

// tokenWord matches an FCM registration token: an instance id, a colon and some 140 characters. No
// other word in a log is that long.
var tokenWord = regexp.MustCompile(`[A-Za-z0-9_-]{8,}:[A-Za-z0-9_-]{80,}|[A-Za-z0-9_:-]{120,}`)

// Scrub hides credentials and abbreviates registration tokens wherever they occur in text. Rooms do
// both themselves. Scrub catches the rest, since errors of libraries quote URLs, headers and
// bodies. The last error that a program prints passes through it as well.
func Scrub(text string) string {
	return tokenWord.ReplaceAllStringFunc(redact.Text(text), abbreviate)
}

// abbreviate keeps just enough for an operator to recognise a token.
func abbreviate(token string) string {
	const head, tail = 6, 4
	if len(token) <= 2*(head+tail) {
		return token[:min(len(token), head)] + "…"
	}
	return token[:head] + "…" + token[len(token)-tail:]
}

// scrubber scrubs whole log lines, whatever kind of value contains the token.
type scrubber struct{ out io.Writer }

// Write expects one whole line, which is what slog's handlers write.
func (s scrubber) Write(line []byte) (int, error) {
	if _, err := io.WriteString(s.out, Scrub(string(line))); err != nil {
		return 0, err
	}
	return len(line), nil
}

// Attributes with these names are hidden or abbreviated whatever their value looks like. The
// comparison ignores case, "_" and "-".
var (
	secretNames = map[string]bool{
		"password": true, "secret": true, "authorization": true, "accesstoken": true, "privatekey": true,
	}
	tokenNames = map[string]bool{"token": true, "fcmtoken": true, "registrationtoken": true, "target": true}
	plainName  = strings.NewReplacer("_", "", "-", "")
)

// hideByName hides or abbreviates an attribute by its name. replaceAttr calls it.
func hideByName(_ []string, attr slog.Attr) slog.Attr {
	name := strings.ToLower(plainName.Replace(attr.Key))
	if !secretNames[name] && !tokenNames[name] {
		return attr
	}
	switch value := attr.Value.String(); {
	case value == "":
	case secretNames[name]:
		attr.Value = slog.StringValue(redact.Hidden)
	case !strings.Contains(value, "…"): // else the room has abbreviated it
		attr.Value = slog.StringValue(abbreviate(value))
	}
	return attr
}

// redisLog routes the client's own lines (a lost connection, a failover) into our log. The library
// has one logger for the whole process.
type redisLog struct{ log *slog.Logger }

func routeRedisLog(log *slog.Logger) { redis.SetLogger(redisLog{log}) }

// Printf implements the library's logger.
func (r redisLog) Printf(ctx context.Context, format string, args ...any) {
	r.log.WarnContext(ctx, "redis client", "says", fmt.Sprintf(format, args...))
}
