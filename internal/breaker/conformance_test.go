package breaker_test

import (
	"testing"

	"go.uber.org/goleak"

	"fanfare/test/backends"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// conformance is what every Redis that we run on must pass.
var conformance = backends.Suite{
	{"canary goes alone", canaryGoesAlone},
	{"canary passes", canaryPasses},
	{"canary repeated", admissionRepeated},
	{"canary of none", noCanary},
	{"canary gives back", canaryGivesBack},
	{"canary proves nothing", neutralProvesNothing},
	{"canary of a crashed replica", crashedReplicaGivesBack},
	{"canary decided after a crash", canaryDecidedByAnother},
	{"small canary", smallCanaryIsJudgedWhole},
	{"trips once", tripsOnce},
	{"trips at a claim", tripsAtAClaim},
	{"trip is taken over", tripIsTakenOver},
	{"trip starts a canary", tripStartsACanary},
	{"trips after the canary", tripsAfterTheCanary},
	{"trips the project", credentialsTripTheProject},
	{"trips a platform", platformTrips},
	{"platform paused by hand", platformPausedByHand},
	{"reset", resets},
	{"reset repeated", resetRepeated},
	{"gone", goneStaysGone},
	{"state", showsItsState},
	{"wrong type", wrongTypeIsNamed},
	{"refused calls", nonsenseIsRefused},
	{"odd platforms", oddPlatformIsUnknown},
	{"many platforms", manyPlatforms},
	{"longest canary", longestCanary},
	{"expires", outlivesNothing},
	{"lost replies", lostRepliesCountOnce},
	{"no replies at all", noRepliesCountOnce},
	{"unanswered keep their places", unansweredKeepTheirPlaces},
	{"unanswered few", fewUnansweredPass},
	{"unanswered canary", unansweredCanaryHolds},
	{"a hold quotes what any replica was told", holdSaysWhatAnyReplicaWasTold},
	{"unanswered lately", unansweredLatelyHolds},
	{"silence", silenceHolds},
	{"silence of one replica", silenceOfOneReplica},
	{"wrong endpoint", wrongEndpointTripsTheProject},
	{"released", releaseStartsACanary},
	{"released, and one answered", answeredTrialIsNoCanary},
	{"released too soon", holdsInARowWait},
	{"hold lost replies", holdLostReplies},
	{"hold reset by hand", holdIsResetByHand},
	{"deletions within a budget", deletionsWithinABudget},
	{"deletions withheld", deletionsWithheld},
	{"deletions lost replies", deletionsLostReplies},
	{"deletions wrong type", deletionsWrongType},
}

func TestConformance(t *testing.T) { backends.Run(t, conformance) }

// never loses nothing, and counts all the same.
func never(int, []string) bool { return false }
