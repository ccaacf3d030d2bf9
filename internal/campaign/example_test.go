package campaign_test

import (
	"fmt"

	"fanfare/internal/campaign"
)

func ExampleShare() {
	grants := campaign.Share(10, []campaign.Contender{
		{ID: "newsletter", Weight: 1, InFlight: 8},
		{ID: "alert", Weight: 1, MaxSlots: 2},
		{ID: "sale", Weight: 3},
	})
	for _, g := range grants {
		fmt.Println(g.ID, g.N)
	}
	// Output:
	// alert 2
	// sale 8
}

func ExampleDecodeRecipient() {
	r, err := campaign.DecodeRecipient([]byte(`{"userId":7,"vars":{"name":"Ana"},"locale":"pt-BR"}`))
	fmt.Println(r.UserID, string(r.Vars["name"]), r.Locale, err)
	_, err = campaign.DecodeRecipient([]byte(`{"userId":1e3}`))
	fmt.Println(err)
	// Output:
	// 7 "Ana" pt-BR <nil>
	// malformed recipient: userId is a number, but no integer: write it as a string
}
