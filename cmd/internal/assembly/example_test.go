package assembly_test

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/alicebob/miniredis/v2"

	"fanfare/cmd/internal/assembly"
	"fanfare/internal/campaign"
	"fanfare/internal/config"
	"fanfare/internal/notification"
)

// All rooms of a program come from its settings and share one Redis.
func ExampleOpen() {
	server, err := miniredis.Run()
	if err != nil {
		panic(err)
	}
	defer server.Close()
	settings := config.Defaults()
	settings.Redis.URL = config.URL("redis://" + server.Addr())
	ctx := context.Background()
	rooms, err := assembly.Open(ctx, settings, "example", slog.New(slog.DiscardHandler), nil)
	if err != nil {
		panic(err)
	}
	defer rooms.Close()
	fmt.Println(rooms.Campaigns.Create(ctx, campaign.Spec{ID: "42", Message: notification.Message(`{"notification": {"title": "Doors open"}}`)}))
	spec, err := rooms.Campaigns.Get(ctx, "42")
	fmt.Println(spec.State, err)
	// Output:
	// <nil>
	// draft <nil>
}
