package notification

import "slices"

// CodeOther stands for the codes beyond MaxCodes, where codes are counted. A result always keeps its own.
const CodeOther = "OTHER"

// MaxCodes is how many distinct codes are counted by name: those of the lists below, MaxRareCodes others, and CodeOther.
const (
	MaxCodes     = 64
	MaxRareCodes = 24
)

// Codes of our own and those that FCM and Google's APIs document. Anything else may be a new word or rubbish, of which there
// can be any number.
var (
	ownCodes = []string{
		CodeMalformed, CodeOversize, CodeNoToken, CodeInvalidToken, CodeUnfilled, CodeTooLarge, CodeDeadline,
		CodeOutcomeUnknown, CodeGaveUp, CodeOther,
	}
	fcmCodes = []string{
		"UNSPECIFIED_ERROR", "INVALID_ARGUMENT", "UNREGISTERED", "SENDER_ID_MISMATCH", "QUOTA_EXCEEDED", "UNAVAILABLE",
		"INTERNAL", "THIRD_PARTY_AUTH_ERROR", "APNS_AUTH_ERROR",
	}
	googleCodes = []string{
		"CANCELLED", "UNKNOWN", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "UNAUTHENTICATED",
		"RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "DATA_LOSS",
	}
	commonCodes = setOf(slices.Concat(ownCodes, fcmCodes, googleCodes))
)

func setOf(words []string) map[string]bool {
	set := make(map[string]bool, len(words))
	for _, word := range words {
		set[word] = true
	}
	return set
}

// RareCode reports whether a code is on no list, so that only some like it are counted by name.
func IsRareCode(code string) bool { return code != "" && !commonCodes[code] }
