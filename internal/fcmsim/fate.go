package fcmsim

import "fanfare/internal/fcmsim/h2"

// fates tells the transport how each code ends; those that are answered in full have none.
var fates = [numCodes]h2.Fate{
	CodeTruncated:       h2.Truncate,
	CodeHang:            h2.Hang,
	CodeResetBeforeRead: h2.Reset,
	CodeResetAfterRead:  h2.Reset,
	CodeCloseBeforeRead: h2.Cut,
	CodeCloseAfterRead:  h2.Cut,
}
