package checks

import "fmt"

// replication says what a failover would forget: writes that no replica has are acknowledged all the same, unless
// min-replicas-to-write is set. Recipients whose outcome is forgotten are sent to again.
func replication(info map[string]string) Finding {
	f := Finding{Name: "redis replication", Grade: Good}
	replicas := info["connected_slaves"]
	_, guarded := info["min_slaves_good_slaves"] // it is told only where min-replicas-to-write is set
	switch {
	case info["role"] == "":
		f.Grade, f.Detail = Warning, "not told by this server"
		f.Advice = "if it has replicas, a failover may forget outcomes, and their recipients are sent to again"
	case replicas == "" || replicas == "0":
		f.Detail = "no replicas"
	case guarded:
		f.Detail = fmt.Sprintf("%s connected, and no write without one that keeps up", replicas)
	default:
		f.Grade, f.Detail = Warning, fmt.Sprintf("%s connected, and writes are acknowledged without any of them", replicas)
		f.Advice = "CONFIG SET min-replicas-to-write 1 and min-replicas-max-lag 10, on the replicas too: a failover forgets what no replica has, and those recipients are sent to again"
	}
	return f
}
