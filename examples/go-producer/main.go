// go-producer shows how an application written in Go sends a campaign through Fanfare: it uses
// Redis and SQL, and nothing of ours.
//
//	export REDIS_URL=redis://localhost:6379 DATABASE_URL=postgres://localhost/fanfare
//	cd examples/go-producer && go run . autumn 2500
package main

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"iter"
	"log"
	"os"
	"os/signal"
	"strconv"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/redis/go-redis/v9"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	id, users := "go", 2500
	if len(os.Args) > 1 {
		id = os.Args[1]
	}
	if len(os.Args) > 2 {
		users, _ = strconv.Atoi(os.Args[2])
	}
	if err := run(ctx, id, users); err != nil {
		log.Fatal(err)
	}
}

// run sends a campaign to n users, and prints what became of them.
func run(ctx context.Context, id string, n int) error {
	options, err := redis.ParseURL(cmp.Or(os.Getenv("REDIS_URL"), "redis://localhost:6379"))
	if err != nil {
		return fmt.Errorf("read REDIS_URL: %w", err)
	}
	rdb := redis.NewClient(options)
	defer rdb.Close()
	db, err := sql.Open("pgx", os.Getenv("DATABASE_URL"))
	if err != nil {
		return fmt.Errorf("read DATABASE_URL: %w", err)
	}
	defer db.Close()

	message := `{"notification":{"title":"Doors open","body":"See you tonight, {{name}}"}}`
	if err := create(ctx, rdb, id, message); err != nil {
		return err
	}
	loaded, err := load(ctx, rdb, id, users(n))
	if err != nil {
		return err
	}
	if err := start(ctx, rdb, id); err != nil {
		return err
	}
	end, err := awaitEnd(ctx, rdb, id)
	if err != nil {
		return err
	}
	fmt.Printf("%d loaded, %s: %d sent, %d skipped\n", loaded, end.Type, end.Books.Sent, end.Books.Skipped)
	if err := awaitWritten(ctx, db, id, loaded); err != nil {
		return err
	}
	return printOutcomes(ctx, db, id)
}

// users are those of the application, which would come from its database. The token of each tenth
// is not known.
func users(n int) iter.Seq[recipient] {
	return func(yield func(recipient) bool) {
		for i := 1; i <= n; i++ {
			r := recipient{UserID: fmt.Sprintf("u%d", i), Vars: map[string]any{"name": fmt.Sprintf("user %d", i)}}
			if i%10 != 0 {
				r.Token = "token-of-" + r.UserID
			}
			if !yield(r) {
				return
			}
		}
	}
}

// recipient is an element of the list: docs/schema/element.schema.json.
type recipient struct {
	UserID string         `json:"userId"`
	Token  string         `json:"fcmToken,omitempty"`
	Vars   map[string]any `json:"vars,omitempty"`
}

func (r recipient) MarshalBinary() ([]byte, error) { return json.Marshal(r) }
