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
	id, users, times, err := parse(os.Args[1:])
	if err == nil {
		err = run(ctx, id, users, times)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// parse reads the arguments: the campaign, how many users, and when they are sent to, as JSON.
func parse(args []string) (id string, users int, times schedule, err error) {
	id, users = "go", 2500
	if len(args) > 0 {
		id = args[0]
	}
	if len(args) > 1 {
		users, err = strconv.Atoi(args[1])
	}
	if len(args) > 2 && err == nil {
		err = json.Unmarshal([]byte(args[2]), &times)
	}
	return id, users, times, err
}

// run sends a campaign to n users, and prints what became of them.
func run(ctx context.Context, id string, n int, times schedule) error {
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
	if err := create(ctx, rdb, id, message, times); err != nil {
		return err
	}
	loaded, err := load(ctx, rdb, id, users(n), times.expiresAt())
	if err != nil {
		return err
	}
	if err := start(ctx, rdb, id, times.StartAt); err != nil {
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
// is not known, and each second lives in Saigon.
func users(n int) iter.Seq[recipient] {
	return func(yield func(recipient) bool) {
		for i := 1; i <= n; i++ {
			r := recipient{UserID: fmt.Sprintf("u%d", i), Vars: map[string]any{"name": fmt.Sprintf("user %d", i)}}
			if i%10 != 0 {
				r.Token = "token-of-" + r.UserID
			}
			if i%2 == 0 {
				r.TimeZone = "Asia/Saigon"
			}
			if !yield(r) {
				return
			}
		}
	}
}

// recipient is an element of the list: docs/schema/element.schema.json.
type recipient struct {
	UserID   string         `json:"userId"`
	Token    string         `json:"fcmToken,omitempty"`
	TimeZone string         `json:"timeZone,omitempty"`
	Vars     map[string]any `json:"vars,omitempty"`
}

func (r recipient) MarshalBinary() ([]byte, error) { return json.Marshal(r) }
