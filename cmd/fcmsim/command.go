package main

import (
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fanfare/fcmsim"
	"fanfare/internal/daemon"
)

// settings are the flags, translated.
type settings struct {
	options         fcmsim.Options
	listen          fcmsim.Listen
	credentialsFile string
}

// credentialsProject is the project of the service account that is written.
func (s settings) credentialsProject() string {
	if s.options.Project == "" {
		return "demo"
	}
	return s.options.Project
}

const long = `fcmsim serves the HTTP v1 API of Firebase Cloud Messaging on this machine: TLS with HTTP/2 (100 streams
a connection) and plain HTTP, Google's validation and error bodies, the OAuth token endpoint, faults, and a
ledger of what was accepted. Nothing leaves the machine.

It says on stderr what limits it holds. When ready it prints its addresses as one line of JSON; "tls" and "http"
are FCM endpoints, "caFile" is the certificate that signs the first. On SIGTERM or SIGINT it prints its counts
as another line and exits with 0.

A token's prefix decides its answer. With a number before the last hyphen (unavailable2-abc), only the first so
many attempts at each message fail:

  dead-             404 UNREGISTERED              unauthenticated-  401, bearer refused
  invalid-          400 INVALID_ARGUMENT          denied-           403 PERMISSION_DENIED
  payload-          400 with a field violation    missing-          404 without FcmError
  mismatch-         403 SENDER_ID_MISMATCH        garbled-          200, accepted, unreadable body
  quota-            429 of the project            truncated-        200, accepted, body cut off
  device-quota-     429 of the device             trickle-          200, accepted, body over a minute
  topic-quota-      429 of the topic              goaway-           200, accepted, then GOAWAY
  rate-limit-       429 of the front end          hang-             never answered, not accepted
  overload-         429 that names no quota       lost-             never answered, accepted
  unavailable-      503, not accepted             reset-            accepted, stream reset
  ghost-            503, yet accepted             close-            accepted, connection reset
  internal-         500                           apns-auth-        401 THIRD_PARTY_AUTH_ERROR
  gateway-          502 as HTML

Rules, from --rules or PUT /admin/rules, are JSON:

  {"latency": "lognormal(50ms, 0.5)",
   "outcomes": [{"code": "UNAVAILABLE", "share": 0.1, "delivered": 0.25, "retryAfter": "30"}],
   "prefixes": {"vip-": {"code": "INTERNAL", "times": 2, "latency": "2s"}}}

  latency     before every answer: 50ms, 20ms..80ms (uniform) or lognormal(median, sigma)
  share       of all requests; what no outcome takes is accepted
  delivered   share of the outcome's messages that are accepted all the same
  times       only the first so many attempts at a message
  retryAfter  the header: seconds, any other text as it is, or date+30s for an HTTP date
  code        %s

RESET_… ends the one stream (over HTTP/1.1, the connection), CLOSE_… the TCP connection with all its
streams; REFUSED_STREAM and GOAWAY_BEFORE_READ say that the request was not processed, GOAWAY_AFTER_READ that
no more are taken. …_BEFORE_READ leaves the body unread and accepts nothing.

Limits and the way to them are rules, too:

  "quota":       {"perMinute": 600000, "offset": "17s", "retryAfter": "date", "code": "RATE_LIMIT_EXCEEDED"}
  "device":      {"perMinute": 240, "perHour": 5000, "retryAfter": "none"}
  "token":       {"fault": "INVALID_GRANT", "share": 0.5, "latency": "2s", "lifetime": "5s", "revoke": true}
  "handshake":   "EXPIRED"

  quota        messages a minute of each project, its refill so far off the clock's minute. All that is read
               counts but for what is answered 429. The code is QUOTA_EXCEEDED (the default), as the
               reference words it, or RATE_LIMIT_EXCEEDED, as Google's front end does
  device       messages to each token or installation
  retryAfter   of both: seconds (the default) until there is room, the date of it, none, or any other text
  token        of the OAuth endpoint: fault %s;
               lifetime of the bearers; revoke refuses those that were issued before
  handshake    fault of new TLS connections, the first three in the certificate:
               %s

--speed 10 makes the minutes and hours of quota and device ten times shorter, and nothing else: Retry-After,
latencies and timelines stay in real time.

A timeline, from --timeline or PUT /admin/timeline, is JSON. Each step replaces all rules; "repeat" may be left
out, and then the array may stand alone. --latency and --quota hold in every step of the file that says
nothing of them:

  {"repeat": "2m", "steps": [{"at": "0s", "rules": {}},
                             {"at": "30s", "rules": {"outcomes": [{"code": "OVERLOADED", "share": 0.2}]}}]}

The admin API:

  GET, PUT, DELETE  /admin/rules           show, replace or remove the rules; PUT and DELETE end a timeline
  GET, PUT, DELETE  /admin/timeline        show, start or stop a timeline
  GET               /admin/counts          counts as JSON
  GET               /admin/trace           arrivals by project, each second of the last hour and each 100 ms of
                                           the last five minutes: accepted, limited (429), other
  GET               /admin/ledger          every target and message, one JSON object a line
  GET               /admin/ledger/{token}  the entries of one token
  DELETE            /admin/ledger          forget entries, counts and arrivals`

const example = `  fcmsim --listen-http 127.0.0.1:9080 --latency 50ms
  fcmsim --quota 60000 --speed 10 --timeline storm.json
  fcmsim --ca-file ca.pem --rules rules.json --seed 7 --ledger messages
  fcmsim --require-auth --project demo --credentials-file account.json`

// newCommand reads the flags and hands the settings to serve.
func newCommand(serve func(settings) error) *cobra.Command {
	var s settings
	var rulesFile, latency, timelineFile, ledger string
	var quota int
	var verbose bool
	cmd := &cobra.Command{
		Use:           "fcmsim",
		Short:         "Firebase Cloud Messaging, simulated",
		Long:          fmt.Sprintf(long, wrapWords(fcmsim.Codes()), strings.Join(fcmsim.TokenFaults(), ", "), strings.Join(fcmsim.HandshakeFaults(), ", ")),
		Example:       example,
		Version:       daemon.Version(),
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			fromFlags, err := newFlagRules(latency, quota)
			if err != nil {
				return err
			}
			if s.options.Rules, err = readRules(rulesFile, fromFlags); err != nil {
				return err
			}
			if s.options.Timeline, err = readTimeline(timelineFile, fromFlags); err != nil {
				return err
			}
			s.options.Ledger = fcmsim.LedgerMode(ledger)
			if verbose {
				s.options.Logger = slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelDebug}))
			}
			return serve(s)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&s.listen.TLS, "listen-tls", "127.0.0.1:0", "address for HTTPS; port 0 is a free one, \"off\" is none")
	f.StringVar(&s.listen.HTTP, "listen-http", "127.0.0.1:0", "address for plain HTTP (HTTP/1.1 and h2c), likewise")
	f.StringVar(&s.listen.Admin, "admin", "127.0.0.1:0", "address of the admin API, likewise")
	f.StringVar(&s.listen.CAFile, "ca-file", "", "where to write the CA's certificate (default: a temporary file)")
	f.StringVar(&latency, "latency", "", "latency of every answer, in place of that in the rules (default: none)")
	f.StringVar(&rulesFile, "rules", "", "file of rules to start with")
	f.IntVar(&quota, "quota", 0, "messages a minute of each project, in place of that in the rules (default: none)")
	f.StringVar(&timelineFile, "timeline", "", "file of rules that change as time goes")
	f.Float64Var(&s.options.Speed, "speed", 1, "how much shorter the minutes of quotas are")
	f.Uint64Var(&s.options.Seed, "seed", 0, "seed of all chance; the same seed gives the same message the same fate")
	f.StringVar(&ledger, "ledger", string(fcmsim.LedgerHashes), "what to keep of accepted messages: hashes, or messages whole")
	f.StringVar(&s.options.Project, "project", "", "the only project that may be sent to (default: any)")
	f.BoolVar(&s.options.RequireAuth, "require-auth", false, "demand a bearer from the token endpoint")
	f.DurationVar(&s.options.TokenLifetime, "token-lifetime", time.Hour, "lifetime of access tokens")
	f.StringVar(&s.credentialsFile, "credentials-file", "", "where to write the credentials of a service account that may sign in here")
	f.BoolVar(&verbose, "verbose", false, "log faults of serving, such as failed TLS handshakes")
	return cmd
}

// wrapped lists words in lines that fit below the help's text.
func wrapWords(words []string) string {
	const width, indent = 90, "\n              "
	var b strings.Builder
	line := 0
	for _, word := range words {
		switch {
		case line == 0:
		case line+len(word) > width:
			b.WriteString(indent)
			line = 0
		default:
			b.WriteByte(' ')
		}
		b.WriteString(word)
		line += len(word) + 1
	}
	return b.String()
}
