package redisinfo_test

import (
	"fmt"

	"fanfare/internal/redisinfo"
)

func ExampleIdentify() {
	id := redisinfo.Identify(map[string]string{"redis_version": "7.2.4", "valkey_version": "8.0.1"})
	fmt.Println(id.Name, id.Version, id.Support == redisinfo.Tested)
	// Output: Valkey 8.0.1 true
}
