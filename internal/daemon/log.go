package daemon

import (
	"fmt"
	"io"
	"log/slog"

	"fanfare/internal/terminal"
)

// NewLogger makes the program's logger. Level is debug, info, warn or error; format is json, text, or auto: text where w
// is a terminal, else JSON. Whatever is logged, tokens are abbreviated and passwords hidden (see Scrub).
func NewLogger(w io.Writer, level, format string) (*slog.Logger, error) {
	var least slog.Level
	if err := least.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("log level %q: use debug, info, warn or error", level)
	}
	options := &slog.HandlerOptions{Level: least, ReplaceAttr: replaceAttr}
	switch {
	case format == "json", format == "auto" && !terminal.Is(w):
		return slog.New(slog.NewJSONHandler(scrubber{w}, options)), nil
	case format == "text", format == "auto":
		return slog.New(slog.NewTextHandler(scrubber{w}, options)), nil
	}
	return nil, fmt.Errorf("log format %q: use auto, json or text", format)
}

// readable is a slog ReplaceAttr: it hides what may not be read, and writes durations as people do in JSON, too.
func replaceAttr(groups []string, attr slog.Attr) slog.Attr {
	if attr.Value.Kind() == slog.KindDuration {
		attr.Value = slog.StringValue(attr.Value.Duration().String())
	}
	return hideByName(groups, attr)
}
