package main

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"fanfare/internal/fcmsim"

	"github.com/spf13/cobra"
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

When ready it prints its addresses as one line of JSON; "tls" and "http" are FCM endpoints, "caFile" is the
certificate that signs the first. On SIGTERM or SIGINT it prints its counts as another line and exits with 0.

A token's prefix decides its answer. With a number before the last hyphen (unavailable2-abc), only the first so
many attempts at each message fail:

  dead-             404 UNREGISTERED              apns-auth-        401 THIRD_PARTY_AUTH_ERROR
  invalid-          400 INVALID_ARGUMENT          unauthenticated-  401, bearer refused
  payload-          400 with a field violation    denied-           403 PERMISSION_DENIED
  mismatch-         403 SENDER_ID_MISMATCH        missing-          404 without FcmError
  quota-            429 of the project            garbled-          200, accepted, unreadable body
  device-quota-     429 of the device             truncated-        200, accepted, body cut off
  topic-quota-      429 of the topic              hang-             never answered, not accepted
  unavailable-      503, not accepted             lost-             never answered, accepted
  ghost-            503, yet accepted             reset-            accepted, stream reset
  internal-         500                           close-            accepted, connection reset
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

RESET_… ends the one stream (over HTTP/1.1, the connection), CLOSE_… the TCP connection with all its streams;
…_BEFORE_READ leaves the body unread and accepts nothing.

The admin API:

  GET, PUT, DELETE  /admin/rules           show, replace or remove the rules
  GET               /admin/counts          counts as JSON
  GET               /admin/ledger          every target and message, one JSON object a line
  GET               /admin/ledger/{token}  the entries of one token
  DELETE            /admin/ledger          forget entries and counts`

const example = `  fcmsim --listen-http 127.0.0.1:9080 --latency 50ms
  fcmsim --ca-file ca.pem --rules rules.json --seed 7 --ledger messages
  fcmsim --require-auth --project demo --credentials-file account.json`

// newCommand reads the flags and hands the settings to serve.
func newCommand(serve func(settings) error) *cobra.Command {
	var s settings
	var rulesFile, latency, ledger string
	var verbose bool
	cmd := &cobra.Command{
		Use:           "fcmsim",
		Short:         "Firebase Cloud Messaging, simulated",
		Long:          fmt.Sprintf(long, wrapped(fcmsim.Codes())),
		Example:       example,
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			rules, err := readRules(rulesFile, latency)
			if err != nil {
				return err
			}
			s.options.Rules, s.options.Ledger = rules, fcmsim.LedgerMode(ledger)
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
	f.Uint64Var(&s.options.Seed, "seed", 0, "seed of all chance; the same seed gives the same message the same fate")
	f.StringVar(&ledger, "ledger", string(fcmsim.LedgerHashes), "what to keep of accepted messages: hashes, or messages whole")
	f.StringVar(&s.options.Project, "project", "", "the only project that may be sent to (default: any)")
	f.BoolVar(&s.options.RequireAuth, "require-auth", false, "demand a bearer from the token endpoint")
	f.DurationVar(&s.options.TokenLifetime, "token-lifetime", time.Hour, "lifetime of access tokens")
	f.StringVar(&s.credentialsFile, "credentials-file", "", "where to write the credentials of a service account that may sign in here")
	f.BoolVar(&verbose, "verbose", false, "log faults of serving, such as failed TLS handshakes")
	return cmd
}

// readRules reads the file, if there is one; a latency of its own beats that of the file.
func readRules(file, latency string) (fcmsim.Rules, error) {
	var rules fcmsim.Rules
	if file != "" {
		data, err := os.ReadFile(file)
		if err != nil {
			return rules, fmt.Errorf("--rules: %w", err)
		}
		if rules, err = fcmsim.ParseRules(data); err != nil {
			return rules, fmt.Errorf("--rules %s: %w", file, err)
		}
	}
	if latency != "" {
		var err error
		if rules.Latency, err = fcmsim.ParseLatency(latency); err != nil {
			return rules, fmt.Errorf("--latency: %w", err)
		}
	}
	return rules, nil
}

// wrapped lists words in lines that fit below the help's text.
func wrapped(words []string) string {
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
