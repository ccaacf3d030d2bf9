package queue_test

import (
	"context"
	"testing"
	"time"

	"go.uber.org/goleak"

	"fanfare/internal/queue"
	"fanfare/test/backends"
	"fanfare/test/servers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// conformance is what every supported kind of Redis must pass.
var conformance = backends.Suite{
	{"claim in order", claimsInOrder},
	{"claim repeated", claimRepeated},
	{"claim for a while", leasesLastAsLongAsTheyShould},
	{"claim beyond one piece", claimsManyAtOnce},
	{"claim up to a size", claimsUpToASize},
	{"claim oversize", claimsOversize},
	{"claim foreign values", claimsForeignValues},
	{"claim behind a gate", claimsBehindAGate},
	{"settle ended", settlesEnded},
	{"settle later", settlesLater},
	{"settle later by cause", countsWhyLater},
	{"settle later, claimed in time", waitsForTheDueTime},
	{"settle with a note", countsNotes},
	{"make due", bringsRetriesForward},
	{"due times", countsWhatIsDue},
	{"sample of retries", samplesRetries},
	{"save progress", keepsProgress},
	{"save progress of what is not leased", savesNothingThatIsNotLeased},
	{"settle twice", settlesOnce},
	{"settle directly", settlesDirectly},
	{"settle across claims", settlesAcrossClaims},
	{"settle with and without payload", settlesWithAndWithoutPayload},
	{"settle without a lease", settlesNothingThatIsLost},
	{"give back in the old order", givesBackInOrder},
	{"give back in pieces", givesBackInPieces},
	{"reap", reapsExpired},
	{"reap when time has passed", reapsWhenTimeHasPassed},
	{"reap against extend", reapsNothingThatIsExtended},
	{"reap against extend beside an empty lease", reapsNothingBesideAnEmptyLease},
	{"extend", extends},
	{"append", appendsOnce},
	{"append while marked", appendsWhileMarked},
	{"expiry", expiryBecomesDeadline},
	{"guard moves up", guardMovesUp},
	{"seen", seesWhatVanishes},
	{"leases that are deleted", countsWhatLeasesHold},
	{"wrong type", wrongTypeMovesNothing},
	{"unreadable counts", unreadableCountsAreNamed},
	{"lost replies", lostRepliesLoseNothing},
	{"no replies at all", noRepliesLoseNothing},
	{"many workers", manyWorkers},
	{"laws", lawsHold},
	{"odd ids", oddIDsShareASlot},
}

func TestConformance(t *testing.T) { backends.Run(t, conformance) }

// patience bounds every wait for a condition. A wait comes near it only if something is broken.
const patience = 30 * time.Second

func await(t *testing.T, done func() (bool, error)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := servers.Await(ctx, done); err != nil {
		t.Fatal(err)
	}
}

// oddIDsShareASlot uses a list under each id. It asks a server that has slots for the slot of each
// key.
func oddIDsShareASlot(t *testing.T, b *backends.Backend) {
	for _, id := range []string{"42", "{x", "{x}", "{tenant}:42", "a}b{x}", "a b"} {
		f := openOn(t, b.Redis, b.Redis, id+queue.NewID(), queue.Options{})
		f.push("a", "b")
		l := f.claim(2)
		f.settle(sent(l.Claim, 1, "r"))
		wantEqual(t, "given back", f.giveBack(l.Claim), 1)
		wantEqual(t, "listed", f.counts().Back, 1)
		if b.Name != backends.Cluster {
			continue
		}
		want := b.Redis.ClusterKeySlot(t.Context(), f.list.Plain()).Val()
		for _, suffix := range []string{"spec", "lease:c", "outbox"} {
			wantEqual(t, "slot of "+f.list.Key(suffix), b.Redis.ClusterKeySlot(t.Context(), f.list.Key(suffix)).Val(), want)
		}
	}
}
