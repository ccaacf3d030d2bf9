package loopback_test

import (
	"fmt"

	"fanfare/internal/loopback"
)

func ExampleIsHostPort() {
	for _, address := range []string{"127.0.0.1:6379", "[::1]:6379", "localhost:6379", "redis.internal:6379", "0.0.0.0:8080"} {
		fmt.Println(address, loopback.IsHostPort(address))
	}
	// Output:
	// 127.0.0.1:6379 true
	// [::1]:6379 true
	// localhost:6379 true
	// redis.internal:6379 false
	// 0.0.0.0:8080 false
}
