package sending_test

import (
	"context"
	"fmt"
	"log/slog"

	"fanfare/cmd/internal/sending"
	"fanfare/internal/config"
)

// The project and its pace come from the settings, without a call to Redis or FCM.
func ExampleOpen() {
	settings := config.Defaults()
	settings.FCM.ProjectID, settings.Pacing.PerMinute = "my-project", 60_000
	ctx := context.Background()
	rooms, err := sending.Open(ctx, settings, "example", slog.New(slog.DiscardHandler), nil)
	if err != nil {
		panic(err)
	}
	defer rooms.Close()
	project, err := rooms.FindProject(ctx)
	fmt.Println(project, err)
	fmt.Printf("%.0f a second\n", rooms.FullRate())
	// Output:
	// my-project <nil>
	// 990 a second
}
