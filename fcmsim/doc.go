// Package fcmsim simulates Firebase Cloud Messaging (FCM) for the tests of a sender. It serves
// the HTTP v1 method messages:send with Google's validation and error bodies, and the OAuth token
// endpoint. Rules add faults, latencies and quotas. A ledger records what was accepted.
//
// The package imports no other package of its module and needs nothing but loopback.
//
// # In a test
//
// [New] makes a [Simulator], and [Simulator.Start] serves it on free ports of 127.0.0.1:
//
//	sim, err := fcmsim.New(fcmsim.Options{})
//	srv, err := sim.Start(t.Context(), fcmsim.Listen{})
//	defer srv.Close()
//
// The sender needs one of these endpoints:
//
//   - URLs.HTTP, over HTTP/1.1 or HTTP/2 without TLS;
//   - URLs.TLS, over HTTP/2 or HTTP/1.1; it must trust the certificate in Server.CAFile.
//
// [Server.ServiceAccount] gives it a credentials file whose token endpoint is the simulator.
// [Simulator.SetRules] changes the behaviour while the test runs. [Simulator.Counts],
// [Simulator.EntriesOf] and [Simulator.Trace] report what was received.
//
// # What decides a response
//
// The first of these that applies:
//
//  1. an outcome by share that happens before the request is read;
//  2. the project's quota;
//  3. the access token, when Options.RequireAuth is set;
//  4. a fault in the request itself;
//  5. the project, when Options.Project is set;
//  6. the installation ID that replaced the token, with Rules.FIDReplacesToken;
//  7. the token's prefix;
//  8. an outcome by share;
//  9. the device's limits.
//
// A message that none of them stops is accepted.
//
// # Prefixes
//
// The beginning of a registration token or installation ID can select its outcome. With a number
// before the last hyphen, as in unavailable2-x, only the first two attempts at each message fail.
// Rules.Prefixes adds prefixes or redefines these:
//
//   - dead-: 404 NOT_FOUND, UNREGISTERED
//   - unregistered-: the same, for the installation ID of an app that never registered
//   - invalid-: 400 INVALID_ARGUMENT that does not mention the payload
//   - payload-: 400 INVALID_ARGUMENT with a field violation in the payload
//   - mismatch-: 403 PERMISSION_DENIED, SENDER_ID_MISMATCH
//   - quota-: 429 RESOURCE_EXHAUSTED, QUOTA_EXCEEDED, and a QuotaFailure for the project
//   - device-quota-: the same for the device
//   - topic-quota-: the same for the topic
//   - rate-limit-: 429 RESOURCE_EXHAUSTED without an FcmError, as Google's front end writes it
//   - overload-: 429 RESOURCE_EXHAUSTED that does not mention a quota
//   - unavailable-: 503 UNAVAILABLE; the message is not accepted
//   - ghost-: 503 UNAVAILABLE, although the message is accepted
//   - internal-: 500 INTERNAL
//   - gateway-: 502 as HTML, from the front end before FCM
//   - apns-auth-: 401 UNAUTHENTICATED, THIRD_PARTY_AUTH_ERROR
//   - unauthenticated-: 401 UNAUTHENTICATED; the access token is refused
//   - denied-: 403 PERMISSION_DENIED; the account may not send
//   - missing-: 404 NOT_FOUND without an FcmError
//   - garbled-: 200, accepted, with a body that is not JSON
//   - truncated-: 200, accepted, with half of the body
//   - trickle-: 200, accepted, with headers at once and a body that takes a minute
//   - goaway-: 200, accepted; then the connection takes no more requests
//   - hang-: read, never answered, not accepted
//   - lost-: read, accepted, never answered
//   - reset-: read, accepted, then the stream is reset
//   - close-: read, accepted, then the whole connection is reset
//
// # Devices
//
// A registration token begins with the Firebase Installation ID (FID) of its device: <FID>:…, up to
// the first colon. So a token and its FID are one device. Counts.DevicesTwice counts the devices
// that accepted a message more than once, by any of their addresses, and
// [Simulator.EntriesOfDevice] shows one.
//
// # Limits
//
// Rules.Quota limits a project and Rules.Device a device, as FCM does. Options.Speed shortens
// their minutes and hours, and nothing else. A [Timeline] changes the rules as time passes.
//
// [Simulator.Trace] shows how evenly requests arrived:
//
//	sim.Trace().Projects["demo"].Seconds.Between(from, to).Unevenness() // largest deviation in %
//
// # Faults of connections
//
// A [Server] allows 100 streams on an HTTP/2 connection, as FCM does. Over HTTP/1.1, it closes the
// connection without a response where HTTP/2 has a frame for the fault. These [Code] values act on
// a stream or a connection:
//
//   - REFUSED_STREAM sends RST_STREAM with REFUSED_STREAM. The request was not processed and can be
//     repeated.
//   - GOAWAY_BEFORE_READ sends GOAWAY with the stream below this one. Streams up to that one are
//     answered; this one and all after it were not processed. Then the connection ends.
//   - GOAWAY_AFTER_READ sends GOAWAY with the highest stream received. All of them are answered;
//     later ones are not processed. Then the connection ends.
//   - RESET_BEFORE_READ and RESET_AFTER_READ send RST_STREAM with INTERNAL_ERROR.
//   - CLOSE_BEFORE_READ and CLOSE_AFTER_READ send a TCP RST, which ends all streams of the
//     connection.
//   - TRUNCATED promises the whole body by content-length, sends half of it and then RST_STREAM
//     with INTERNAL_ERROR.
//   - TRICKLE sends the headers at once, and the body in sixteen pieces over the latency.
//   - HANG sends nothing until the sender leaves.
//
// BEFORE_READ means that the body is not read and the message is never accepted. AFTER_READ means
// that the body is read and validated. The message is then accepted with the probability in
// Outcome.Delivered.
//
// The latency comes before all of them. After the decision for GOAWAY_BEFORE_READ the server reads
// no later request of the connection. Rules.Handshake makes new TLS connections fail.
// [Server.Close] ends all connections with a GOAWAY that names the last request received.
package fcmsim
