package api

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"

	"fanfare/internal/audience"
	"fanfare/internal/operator"
	"fanfare/internal/redact"
)

// bodyTimeout is how long an upload may send nothing.
const bodyTimeout = time.Minute

// formats are the types of an audience. The content shows if it is compressed.
var formats = map[string]audience.Format{
	"":                         audience.Sniffed,
	"application/octet-stream": audience.Sniffed,
	"application/gzip":         audience.Sniffed,
	"application/zstd":         audience.Sniffed,
	"text/csv":                 audience.CSV,
	"application/x-ndjson":     audience.NDJSON,
	"application/json":         audience.NDJSON,
}

const audiencePath = "/campaigns/{id}/audience"

// takesAudience reports whether the body is an audience, of any length.
func (e endpoint) takesAudience() bool { return e.path == audiencePath }

// loadAudience loads the body while it arrives. Repeating an interrupted upload continues it.
func (a *API) loadAudience(r *http.Request) (int, any, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil && r.Header.Get("Content-Type") != "" {
		return 0, nil, badRequest("Content-Type: %v", err)
	}
	format, known := formats[kind]
	if !known {
		return 0, nil, &problem{
			Status: http.StatusUnsupportedMediaType, Title: "This is no audience",
			Detail: "Send text/csv or application/x-ndjson, plain or compressed with gzip or zstd.",
		}
	}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && encoding != "gzip" && encoding != "zstd" {
		return 0, nil, badRequest("Content-Encoding is %q, want gzip or zstd", encoding)
	}
	add, err := readFlag(r, "append")
	if err != nil {
		return 0, nil, err
	}
	done, err := a.deps.System.Load(r.Context(), r.PathValue("id"), r.Body, operator.LoadOptions{Format: format, Append: add, MaxElement: a.opts.MaxElement, Pace: a.deps.Paces})
	if errors.Is(err, errUpload) {
		return 0, nil, &problem{Status: http.StatusBadRequest, Title: "The upload broke off", Detail: redact.Text(err.Error()) + ". Repeat it: what is loaded is not loaded again."}
	}
	return http.StatusOK, done, err
}

// readFlag reads a parameter that is true or false.
func readFlag(r *http.Request, name string) (bool, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return false, nil
	}
	on, err := strconv.ParseBool(text)
	if err != nil {
		return false, badRequest("%s is %q, want true or false", name, text)
	}
	return on, nil
}

// errUpload is an upload that ended before its end.
var errUpload = errors.New("read the upload")

// upload is a body of any length. It may take as long as it likes, if something arrives each
// minute.
type upload struct {
	io.ReadCloser
	connection *http.ResponseController
}

func (u upload) Read(p []byte) (int, error) {
	// A server without deadlines, such as that of a test, refuses them.
	_ = errors.Join(u.connection.SetReadDeadline(time.Now().Add(bodyTimeout)), u.connection.SetWriteDeadline(time.Now().Add(2*bodyTimeout)))
	n, err := u.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = errors.Join(errUpload, err)
	}
	return n, err
}
