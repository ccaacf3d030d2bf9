package notification_test

import (
	"fmt"

	"fanfare/internal/notification"
)

func ExampleParseToken() {
	for _, text := range []string{"cMr3eGJhR0-kT1:APA91bHun4MxP5egoKMwt2", ` "cMr3eGJhR0-kT1:APA91bHun4MxP5egoKMwt2" `, "undefined", ""} {
		target := notification.ParseToken(text)
		fmt.Printf("%t %t %t %q\n", target.IsSendable(), target.IsTrimmed(), target.IsZero(), target.Problem())
	}
	// Output:
	// true false false ""
	// true true false ""
	// false false false "it is a word for a missing value"
	// false false true ""
}

// A status is never replaced by one of a lower rank.
func ExampleStatus_Rank() {
	fmt.Println(notification.StatusSent.Rank() > notification.StatusUnknown.Rank())
	// Output: true
}
