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

// settings are what the flags say.
type settings struct {
	options         fcmsim.Options
	listen          fcmsim.Listen
	credentialsFile string
}

// credentialsProject is the project of the service account in the credentials file.
func (s settings) credentialsProject() string {
	if s.options.Project == "" {
		return "demo"
	}
	return s.options.Project
}

const long = `fcmsim simulates Firebase Cloud Messaging on this machine. It serves the HTTP v1 API over TLS with HTTP/2
(100 streams a connection) and over plain HTTP, with Google's validation and error bodies, the OAuth token
endpoint, faults, and a ledger of what was accepted. Nothing leaves the machine.

It prints its limits on stderr. When it is ready, it prints its addresses as one line of JSON: "tls" and "http"
are FCM endpoints, "caFile" is the certificate that signs the first. On SIGTERM or SIGINT it prints its counts
as another line and exits with 0.

The prefix of a token decides its response. With a number before the last hyphen, as in unavailable2-abc, only
the first two attempts at each message fail:

  dead-             404 UNREGISTERED              unauthenticated-  401, access token refused
  invalid-          400 INVALID_ARGUMENT          denied-           403 PERMISSION_DENIED
  payload-          400 with a field violation    missing-          404 without FcmError
  mismatch-         403 SENDER_ID_MISMATCH        garbled-          200, accepted, body is not JSON
  quota-            429 of the project            truncated-        200, accepted, half of the body
  device-quota-     429 of the device             trickle-          200, accepted, body over a minute
  topic-quota-      429 of the topic              goaway-           200, accepted, then GOAWAY
  rate-limit-       429 of the front end          hang-             never answered, not accepted
  overload-         429 that names no quota       lost-             never answered, accepted
  unavailable-      503, not accepted             reset-            accepted, stream reset
  ghost-            503, yet accepted             close-            accepted, connection reset
  internal-         500                           apns-auth-        401 THIRD_PARTY_AUTH_ERROR
  gateway-          502 as HTML                   unregistered-     404 UNREGISTERED: a FID never registered

Rules, from --rules or PUT /admin/rules, are JSON:

  {"latency": "lognormal(50ms, 0.5)",
   "outcomes": [{"code": "UNAVAILABLE", "share": 0.1, "delivered": 0.25, "retryAfter": "30"}],
   "prefixes": {"vip-": {"code": "INTERNAL", "times": 2, "latency": "2s"}}}

  latency     before every response: 50ms, 20ms..80ms (uniform) or lognormal(median, sigma)
  share       of all requests, from 0 to 1; requests without an outcome are accepted
  delivered   share of the outcome's messages that are accepted although the response does not say so
  times       only for the first attempts at a message
  retryAfter  the header: seconds, date+30s for an HTTP date, or any other text as it is
  code        %s

RESET_… ends one stream (over HTTP/1.1, the connection). CLOSE_… ends the TCP connection with all its streams.
REFUSED_STREAM and GOAWAY_BEFORE_READ say that the request was not processed. GOAWAY_AFTER_READ says that no
later request is. …_BEFORE_READ does not read the body and accepts nothing.

A registration token begins with the Firebase Installation ID (FID) of its device, as in <FID>:abc. The counts
"devices" and "devicesTwice" take both for one device. With this rule, <FID>:abc is UNREGISTERED once a message
to <FID> was accepted:

  "fidReplacesToken": true

Rules also set limits, and faults on the way to FCM:

  "quota":       {"perMinute": 600000, "offset": "17s", "retryAfter": "date", "code": "RATE_LIMIT_EXCEEDED"}
  "device":      {"perMinute": 240, "perHour": 5000, "retryAfter": "none"}
  "token":       {"fault": "INVALID_GRANT", "share": 0.5, "latency": "2s", "lifetime": "5s", "revoke": true}
  "handshake":   "EXPIRED"

  quota        messages a minute of each project. The offset is from the clock's minute to the refill. All
               requests that are read count, except those answered with 429. The code is QUOTA_EXCEEDED (the
               default), as in FCM's reference, or RATE_LIMIT_EXCEEDED, as from Google's front end
  device       messages to each token or installation
  retryAfter   of both: seconds (the default) until there is room, its date, none, or any other text
  token        of the OAuth endpoint. The fault is one of %s.
               The lifetime is that of access tokens; revoke refuses those issued before
  handshake    fault of new TLS connections; the first three are in the certificate:
               %s

--speed 10 makes the minutes and hours of quota and device ten times shorter, and nothing else: Retry-After,
latencies and timelines stay in real time.

A timeline, from --timeline or PUT /admin/timeline, is JSON. Each step replaces all rules. Without "repeat", the
array may stand alone. --latency and --quota apply to every step of the file that does not set them:

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
  GET               /admin/devices/{token or FID}  the entries of all addresses of a device
  DELETE            /admin/ledger          forget entries, counts and arrivals`

const example = `  fcmsim --listen-http 127.0.0.1:9080 --latency 50ms
  fcmsim --quota 60000 --speed 10 --timeline storm.json
  fcmsim --ca-file ca.pem --rules rules.json --seed 7 --ledger messages
  fcmsim --require-auth --project demo --credentials-file account.json`

// newCommand reads the flags and calls serve with the settings.
func newCommand(serve func(settings) error) *cobra.Command {
	var s settings
	var rulesFile, latency, timelineFile, ledger string
	var quota int
	var verbose bool
	cmd := &cobra.Command{
		Use:           "fcmsim",
		Short:         "Simulate Firebase Cloud Messaging",
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
	f.StringVar(&s.listen.TLS, "listen-tls", "127.0.0.1:0", "address for HTTPS; port 0 takes a free one, \"off\" does not listen")
	f.StringVar(&s.listen.HTTP, "listen-http", "127.0.0.1:0", "address for plain HTTP (HTTP/1.1 and h2c); port 0 and \"off\" as above")
	f.StringVar(&s.listen.Admin, "admin", "127.0.0.1:0", "address of the admin API; port 0 and \"off\" as above")
	f.StringVar(&s.listen.CAFile, "ca-file", "", "file for the CA's certificate (default: a temporary file)")
	f.StringVar(&latency, "latency", "", "latency of every response; overrides the rules (default: none)")
	f.StringVar(&rulesFile, "rules", "", "file of rules to start with")
	f.IntVar(&quota, "quota", 0, "messages a minute of each project; overrides the rules (default: none)")
	f.StringVar(&timelineFile, "timeline", "", "file of rules that change as time passes")
	f.Float64Var(&s.options.Speed, "speed", 1, "factor by which the minutes of quotas are shorter")
	f.Uint64Var(&s.options.Seed, "seed", 0, "random seed; the same seed gives the same message the same outcome")
	f.StringVar(&ledger, "ledger", string(fcmsim.LedgerHashes), "what to keep of accepted messages: hashes, or whole messages")
	f.StringVar(&s.options.Project, "project", "", "the only project that accepts messages (default: any)")
	f.BoolVar(&s.options.RequireAuth, "require-auth", false, "require an access token from the token endpoint")
	f.DurationVar(&s.options.TokenLifetime, "token-lifetime", time.Hour, "lifetime of access tokens")
	f.StringVar(&s.credentialsFile, "credentials-file", "", "file for the credentials of a service account of this simulator")
	f.BoolVar(&verbose, "verbose", false, "log faults of serving, such as failed TLS handshakes")
	return cmd
}

// wrapWords joins words into lines that fit the help text.
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
