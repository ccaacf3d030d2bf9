package fcmsim

import "fanfare/fcmsim/internal/h2"

// fates tells the transport how each code ends; those that are answered in full have none.
var fates = [numCodes]h2.Fate{
	CodeTruncated:        h2.Truncate,
	CodeTrickle:          h2.Trickle,
	CodeHang:             h2.Hang,
	CodeRefusedStream:    h2.Refuse,
	CodeResetBeforeRead:  h2.Reset,
	CodeResetAfterRead:   h2.Reset,
	CodeCloseBeforeRead:  h2.Cut,
	CodeCloseAfterRead:   h2.Cut,
	CodeGoAwayBeforeRead: h2.TurnAway,
	CodeGoAwayAfterRead:  h2.Retire,
}
