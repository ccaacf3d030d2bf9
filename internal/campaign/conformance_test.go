package campaign_test

import (
	"testing"

	"go.uber.org/goleak"

	"fanfare/test/backends"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// conformance is the suite that every supported Redis must pass. Each test starts with an empty
// Redis.
var conformance = backends.Suite{
	{"create", createsOnce},
	{"create refuses", createRefuses},
	{"spec by an application", readsForeignSpecs},
	{"spec that cannot be used", namesWhatIsWrong},
	{"change", changesWhatRuns},
	{"change refuses", changeRefuses},
	{"change of the message", changesTheMessageOfWhatStands},
	{"change of an edition", changesAnyEdition},
	{"scheduled start", startsByTheClock},
	{"scheduled start moved meanwhile", startsNotBeforeAChangedTime},
	{"scheduled start without its audience", waitsForItsAudience},
	{"scheduled start that is refused", staysADraft},
	{"scheduled start after the list's expiry", startsNotAfterTheExpiryOfItsList},
	{"times", changesTheTimes},
	{"every transition", movesByTheTable},
	{"stamps", stampsByTheServersClock},
	{"moves side by side", movesOneAtATime},
	{"complete", completesWhenNoOneIsLeft},
	{"complete late", endsAsExpired},
	{"complete after its own deadline", endsAsExpiredByItsOwnDeadline},
	{"retention", keepsTheEndedForAWhile},
	{"pause and cancel close the gate", closesTheGate},
	{"retention ends", keepsWhatRunsAgain},
	{"retention of addresses", keepsAddressesWithTheCampaign},
	{"books", booksBalance},
	{"missing", missesWhatRedisLost},
	{"complete without the missing", endsWithoutTheMissing},
	{"counts are deleted", countsAreDeleted},
	{"counts are deleted at the end", countsAreDeletedAtTheEnd},
	{"keys are deleted", keysAreDeleted},
	{"guard", guardsBeforeTheFirstClaim},
	{"guard of our own load", guardsWhatWasLoaded},
	{"guard of a campaign that waits", guardsForAsLongAsTheCampaign},
	{"guard of an assumed deadline", assumedDeadlineGivesWay},
	{"guard after the counts", guardsWithoutTheCounts},
	{"guard after the campaign", guardsWithoutTheCampaign},
	{"load again", loadsAgainWhatIsMissing},
	{"source", followsTheSource},
	{"source given up", givesTheSourceUp},
	{"load goes on", goesOnWithALoad},
	{"load goes on beside another", takesALoadOver},
	{"loads end", endsLoads},
	{"load of a stranger's progress", goesOnWithNoStrangersProgress},
	{"load of another audience", refusesAnotherAudience},
	{"load", loadsOnce},
	{"loads side by side", loadsOneAtATime},
	{"load has its campaign for itself", refusesASecondLoader},
	{"load ends late", endsWithoutTheLeaseOfAnother},
	{"late batch of an ended load", ignoresABatchThatComesLate},
	{"load waits", keepsALoadThatWaits},
	{"load waits for long", knowsSinceWhenALoadIsHeld},
	{"load skips", keepsALoadThatSkips},
	{"complete with an interrupted load", namesWhatWasInterrupted},
	{"load and complete", completesAfterTheLoad},
	{"complete without a waived load", completesWithoutAWaivedLoad},
	{"load into the ended", reopensOnlyTheCompleted},
	{"load and look", loadsBesideALook},
	{"load that died", forgetsWhatNoOneLoads},
	{"loads that are over", forgetsLoadsThatAreOver},
	{"load and delete", loadsNothingIntoTheDeleted},
	{"discover", discoversWhatRuns},
	{"discover beside a broken campaign", goesOnBesideTheBroken},
	{"discover a spec without a state", tellsWhatIsStateless},
	{"discover many", looksAtManyAtOnce},
	{"discover lists of an application", discoversForeignLists},
	{"discover in pieces", scansInPieces},
	{"discover what came late", reopensAndAdopts},
	{"adopt what is in order", adoptsWithoutAWrite},
	{"discover what is left", tellsTheUnsettled},
	{"discover what is left, cut off", tellsTheUnsettledAfterAnError},
	{"discover drops the gone", dropsTheGone},
	{"discover keeps what comes meanwhile", keepsWhatComesMeanwhile},
	{"create beside a look", createsBesideALook},
	{"projects", servesItsOwnProject},
	{"drafts of projects", startsItsOwnDrafts},
	{"projects by mistake", tellsAMistakenProject},
	{"projects of a listing", listsTheSameProjects},
	{"projects side by side", takesOnceAmongProjects},
	{"project named meanwhile", leavesACampaignTakenMeanwhile},
	{"list", listsAll},
	{"list what is left", listsWhatIsLeft},
	{"sample", samplesWithoutClaiming},
	{"sample of what is wrong", samplesWhatIsWrong},
	{"delete", deletesEverything},
	{"delete refuses", deleteRefusesTheRunning},
	{"delete cut off", deleteGoesOn},
	{"history", recordsWhoDidWhat},
	{"history without people", recordsWhatEndsByItself},
	{"history is bounded", boundsTheHistory},
	{"history is kept", keepsTheHistory},
	{"new history", readsNewHistory},
	{"lost replies", lostRepliesDoNoHarm},
	{"wrong type", wrongTypesAreNamed},
	{"complete by outcomes alone", endsByOutcomesAlone},
	{"complete after either deadline", endsAsExpiredByEitherDeadline},
	{"discover what is overdue", tellsWhatIsOverdue},
	{"adopt what has a reason", adoptsWithoutAReason},
	{"looks put nothing off", looksPutNothingOff},
	{"load goes on with one that appended", keepsTheFirstLoader},
}

func TestConformance(t *testing.T) {
	backends.Each(t, func(t *testing.T, b *backends.Backend) {
		for _, c := range conformance {
			flush(t, b)
			t.Run(c.Name, func(t *testing.T) { c.Test(t, b) })
		}
	})
}

// beforeScripts calls a function before each script of the lossy client runs, until the test ends.
func beforeScripts(t *testing.T, b *backends.Backend, call func(script []string)) {
	b.Lose(t, func(_ int, script []string) bool { call(script); return false })
}
