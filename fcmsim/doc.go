// Package fcmsim is Firebase Cloud Messaging as a sender sees it: the HTTP v1 API of messages:send with Google's
// validation and error bodies, the OAuth endpoint before it, the faults of the network in between, and a ledger of
// what was accepted. It imports nothing of this module, so that others can use it as it stands.
//
//	sim, err := fcmsim.New(fcmsim.Options{})
//	srv, err := sim.Start(ctx, fcmsim.Listen{})  // srv.URLs.TLS is an FCM_ENDPOINT; srv.CAFile signs it
//	defer srv.Close()
//	…
//	sim.Counts()                                 // accepted, distinct, duplicates, by code, connections
//
// # What decides an answer
//
// In this order: an outcome by share that strikes before the request is read; the project's quota; the bearer, when auth
// is required; the request's own faults; the project, when one is set; the token's prefix; an outcome by share; the
// device's limits; else the message is accepted.
//
// A token that starts with one of these prefixes gets the answer beside it. With a number before the last hyphen
// (unavailable2-…), only the first so many attempts at each message do, and the next is accepted. Rules can add
// prefixes and redefine these.
//
//	dead-             404 NOT_FOUND, UNREGISTERED
//	invalid-          400 INVALID_ARGUMENT that says nothing of the payload
//	payload-          400 INVALID_ARGUMENT with a field violation on the payload
//	mismatch-         403 PERMISSION_DENIED, SENDER_ID_MISMATCH
//	quota-            429 RESOURCE_EXHAUSTED, QUOTA_EXCEEDED; the QuotaFailure names the project
//	device-quota-     the same, naming the device
//	topic-quota-      the same, naming the topic
//	rate-limit-       429 RESOURCE_EXHAUSTED without an FcmError, as Google's front end refuses a project over its quota
//	overload-         429 RESOURCE_EXHAUSTED that says nothing of a quota
//	unavailable-      503 UNAVAILABLE, and the message is not accepted
//	ghost-            503 UNAVAILABLE, although the message is accepted
//	internal-         500 INTERNAL
//	gateway-          502 as HTML, from the front end before FCM
//	apns-auth-        401 UNAUTHENTICATED, THIRD_PARTY_AUTH_ERROR
//	unauthenticated-  401 UNAUTHENTICATED: the bearer is refused
//	denied-           403 PERMISSION_DENIED: the account may not send
//	missing-          404 NOT_FOUND without an FcmError
//	garbled-          200, accepted, with a body that is no JSON
//	truncated-        200, accepted, cut off in the middle of its body
//	trickle-          200, accepted, with headers at once and a body that takes a minute
//	goaway-           200, accepted; then the connection takes no more
//	hang-             read and never answered; not accepted
//	lost-             read, accepted and never answered
//	reset-            read, accepted, then the stream is reset
//	close-            read, accepted, then the whole connection is reset
//
// # Limits
//
// Rules.Quota and Rules.Device hold a project and a device to what FCM gives them; Options.Speed shortens their minutes.
// A Timeline switches rules as time goes. Simulator.Trace tells how evenly requests came:
//
//	sim.Trace().Projects["demo"].Seconds.Between(from, to).Unevenness() // per cent off the mean, at most
//
// # Resets
//
// A Server speaks HTTP/2 by the package h2, 100 streams a connection, and HTTP/1.1, where every fault that is told by a
// frame is told by closing the connection without a response. "Before" means that the request's headers were read and
// its body was not looked at, whether or not it had arrived: never accepted. "After" means that the body was read and
// validated, and accepted as often as the outcome's Delivered says.
//
//	REFUSED_STREAM      RST_STREAM with REFUSED_STREAM: not processed, and safe to repeat
//	GOAWAY_BEFORE_READ  GOAWAY with the stream below this one: those up to it are answered, this one and all after
//	                    it were not processed, and are safe to repeat; then the connection ends
//	GOAWAY_AFTER_READ   GOAWAY with the highest stream that came in: this one and all under way are answered, those
//	                    after it were not processed; then the connection ends
//	RESET_BEFORE_READ   RST_STREAM with INTERNAL_ERROR
//	RESET_AFTER_READ    the same
//	CLOSE_BEFORE_READ   a RST of the TCP connection, and with it of all streams that share it
//	CLOSE_AFTER_READ    the same
//	TRUNCATED           content-length promises the whole body, half of it comes, then RST_STREAM with INTERNAL_ERROR
//	TRICKLE             the headers at once, the body in sixteen pieces over the latency
//	HANG                nothing, until the sender leaves
//
// A latency comes before all of them; after GOAWAY_BEFORE_READ is decided on, nothing more is looked at meanwhile.
// Rules.Handshake has connections fail before there is a request. Close of a Server ends all connections at once, with
// a GOAWAY that tells which requests came in.
package fcmsim
