package servers

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	clusterNodes = 3
	clusterSlots = 16384
	// clusterTimeout is far above the few seconds that three nodes need to agree.
	clusterTimeout = 60 * time.Second
)

// RedisCluster starts a cluster of three masters without replicas and returns their addresses. It
// returns when every node reports that all slots are served.
func RedisCluster(t testing.TB) []string {
	t.Helper()
	addrs := make([]string, clusterNodes)
	nodes := make([]*redis.Client, clusterNodes)
	for i := range addrs {
		addrs[i] = startRedis(t, "redis-server", []string{"--cluster-enabled", "yes", "--cluster-node-timeout", "5000"})
		nodes[i] = redis.NewClient(&redis.Options{Addr: addrs[i]})
		defer func() { _ = nodes[i].Close() }()
	}
	ctx, cancel := context.WithTimeout(t.Context(), clusterTimeout)
	defer cancel()
	for i, node := range nodes {
		if err := joinCluster(ctx, node, i, addrs[0]); err != nil {
			t.Fatalf("form redis cluster: node %d: %v", i, err)
		}
	}
	for i, node := range nodes {
		if err := Await(ctx, func() (bool, error) { return isClusterReady(ctx, node) }); err != nil {
			t.Fatalf("form redis cluster: node %d: %v", i, err)
		}
	}
	return addrs
}

// joinCluster assigns a node its share of the slots, and introduces it to the seed node.
func joinCluster(ctx context.Context, node *redis.Client, i int, seed string) error {
	first, last := i*clusterSlots/clusterNodes, (i+1)*clusterSlots/clusterNodes-1
	if err := node.ClusterAddSlotsRange(ctx, first, last).Err(); err != nil {
		return fmt.Errorf("add slots %d to %d: %w", first, last, err)
	}
	if err := node.Do(ctx, "CLUSTER", "SET-CONFIG-EPOCH", i+1).Err(); err != nil {
		return fmt.Errorf("set configuration epoch: %w", err)
	}
	if i == 0 {
		return nil
	}
	host, port, err := net.SplitHostPort(seed)
	if err != nil {
		return err
	}
	return node.ClusterMeet(ctx, host, port).Err()
}

func isClusterReady(ctx context.Context, node *redis.Client) (bool, error) {
	info, err := node.ClusterInfo(ctx).Result()
	if err != nil {
		return false, err
	}
	return strings.Contains(info, "cluster_state:ok") &&
		strings.Contains(info, fmt.Sprintf("cluster_known_nodes:%d", clusterNodes)) &&
		strings.Contains(info, fmt.Sprintf("cluster_size:%d", clusterNodes)), nil
}

// Await polls until done reports true or fails, or ctx ends.
func Await(ctx context.Context, done func() (bool, error)) error {
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for a condition: %w", context.Cause(ctx))
		case <-again.C:
		}
	}
}
