package config_test

import (
	"fmt"

	"fanfare/internal/config"
)

func ExampleLoad() {
	settings, err := config.Load("", nil, []string{"FANFARE_QUEUE_LEASE=20s"})
	fmt.Println(settings.Queue.Lease, err)
	_, err = config.Load("", nil, []string{"LOG_LEVEL=loud"})
	fmt.Println(err)
	// Output:
	// 20s <nil>
	// environment LOG_LEVEL: log.level: "loud" is not valid; use debug, info, warn, error
}
