package audience

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// textOf writes all of an endpoint on a line.
func textOf(e Endpoint) string {
	if e.Reason != "" {
		return fmt.Sprintf("%s of user %q", e.Reason, e.UserID)
	}
	seen := ""
	if !e.Device.LastSeen.IsZero() {
		seen = e.Device.LastSeen.Format(time.RFC3339)
	}
	text := fmt.Sprintf("%s %s %s|%s|%s|%s", e.UserID, e.Device.Target.Value, e.Device.Platform, e.Device.Locale, e.Device.TimeZone, seen)
	for _, name := range slices.Sorted(maps.Keys(e.Profile)) {
		text += " " + name + "=" + string(e.Profile[name])
	}
	return text
}

// readExportText reads a whole export: its endpoints, and the lines that are none.
func readExportText(t *testing.T, text string, s Service) (all []string, hints []string) {
	t.Helper()
	export, err := OpenExport(strings.NewReader(text), s)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	for {
		e, err := export.Next()
		if errors.Is(err, io.EOF) {
			return all, export.Hints()
		}
		_, row := errors.AsType[RowError](err)
		switch {
		case row:
			all = append(all, err.Error())
		case err != nil:
			t.Fatalf("%s: %v", text, err)
		default:
			all = append(all, textOf(e))
		}
	}
}

// Each line of Pinpoint's export is an address of use, or is left out for the first reason that
// holds.
func TestEndpointsOfPinpoint(t *testing.T) {
	t.Parallel()
	const good = `"ChannelType":"GCM","Address":"a:APA91b","User":{"UserId":" u1 "}`
	lists := `"Attributes":{"tier":["gold"],"cities":["Hue","Hanoi"],"none":null,"empty":[],"plain":"x","locale":["fr"]},` +
		`"User":{"UserId":"u1","UserAttributes":{"tier":["silver"],"age":["41"]}}`
	for line, want := range map[string]string{
		good: "u1 a:APA91b |||",
		good + `,"Demographic":{"Locale":"pt_BR","Timezone":" Asia/Saigon ","Platform":"Android"},"EffectiveDate":"2026-03-01T10:00:00Z"`: `u1 a:APA91b android|pt-BR|Asia/Saigon|2026-03-01T10:00:00Z locale="pt-BR" timeZone="Asia/Saigon"`,
		good + `,"Demographic":{"Locale":"x","Timezone":"Mars","Platform":"iPhone OS"},"EffectiveDate":"soon"`:                            "u1 a:APA91b |||",
		`"ChannelType":"GCM","Address":"a:APA91b","Demographic":{"Locale":"vi"},` + lists:                                                 `u1 a:APA91b |vi|| age="41" cities=["Hue","Hanoi"] locale="fr" plain="x" tier="silver"`,
		// What is wrong with it, from the last reason to the first: each comes before those above.
		`"ChannelType":"GCM","Address":"two words","User":{"UserId":"u1"}`:                       `notToken of user "u1"`,
		`"ChannelType":"GCM","User":{"UserId":"u1"},"EndpointStatus":"ACTIVE","OptOut":"NONE"`:   `notToken of user "u1"`,
		`"ChannelType":"GCM","User":{"UserId":"u1"},"EndpointStatus":"Inactive","OptOut":"NONE"`: `inactive of user "u1"`,
		good + `,"OptOut":"ALL"`:                                                                       `optedOut of user "u1"`,
		good + `,"EndpointStatus":"INACTIVE","OptOut":"All"`:                                           `optedOut of user "u1"`,
		`"ChannelType":"GCM","Address":"a:APA91b","User":{"UserId":" "},"OptOut":"ALL"`:                `noUser of user ""`,
		`"ChannelType":"GCM","Address":"a:APA91b"`:                                                     `noUser of user ""`,
		`"ChannelType":"APNS","Address":"a:APA91b","User":{"UserId":"u1"},"EndpointStatus":"INACTIVE"`: `otherChannel of user "u1"`,
		`"ChannelType":"EMAIL"`:                                                                        `otherChannel of user ""`,
		// What is no endpoint.
		`"Address":"a:APA91b","User":{"UserId":"u1"}`: "line 3: has no ChannelType",
		`"ChannelType":7`: "line 3: is no endpoint: json: cannot unmarshal number",
		`"ChannelType":"GCM","Address":"a:APA91b","User":{"UserId":"` + strings.Repeat("x", 513) + `"}`: "line 3: userId is longer than 512 bytes",
		`"ChannelType":"SMS","User":{"UserId":"1.23457E+14"}`:                                           "line 3: userId 1.23457E+14 was rounded",
	} {
		around := `{"ChannelType":"GCM","Address":"b:APA91b","User":{"UserId":"u2"}}` + "\r\n"
		got, hints := readExportText(t, around+"\n{"+line+"}\n"+around, Pinpoint)
		if len(got) != 3 || got[0] != "u2 b:APA91b |||" || got[2] != got[0] || len(hints) > 0 {
			t.Errorf("%s: got %q, hints %q", line, got, hints)
		} else if isRow := strings.HasPrefix(want, "line"); !isRow && got[1] != want || !strings.HasPrefix(got[1], want) {
			t.Errorf("%s: got\n%s\nwant\n%s", line, got[1], want)
		}
	}
}

// Each row of OneSignal's export is an address of use, or is left out for the first reason that
// holds.
func TestSubscriptionsOfOneSignal(t *testing.T) {
	t.Parallel()
	const header = "identifier,device_type,external_user_id,notification_types,invalid_identifier,language,timezone_id,timezone,last_active,country,tags\n"
	for row, want := range map[string]string{
		"a:APA91b,1, u1 ,1,f,,,,,,": "u1 a:APA91b android|||",
		`a:APA91b,1,u1,,,pt_BR,Asia/Saigon,-10800,2026-03-01 10:00:00 UTC,VN,"{""tier"":""gold"",""age"":41}"`: `u1 a:APA91b android|pt-BR|Asia/Saigon|2026-03-01T10:00:00Z age=41 country="VN" locale="pt-BR" tier="gold" timeZone="Asia/Saigon"`,
		`a:APA91b,1,u1,,,vi,,25200,,VN,"{""locale"":""fr"",""timeZone"":""UTC"",""country"":""FR""}"`:          `u1 a:APA91b android|vi|+07:00| country="FR" locale="fr" timeZone="UTC"`,
		"a:APA91b,1,u1,,,x,Mars,-12600,soon,,": `u1 a:APA91b android||-03:30| timeZone="-03:30"`,
		"a:APA91b,1,u1,,,,,an hour,,,":         "u1 a:APA91b android|||",
		"a:APA91b,1,u1,,,,,999999,,,":          "u1 a:APA91b android|||",
		// What is wrong with it, from the last reason to the first: each comes before those above.
		"two words,1,u1,1,false,,,,,,":   `notToken of user "u1"`,
		"two words,1,u1,1,True,,,,,,":    `inactive of user "u1"`,
		"two words,1,u1,0,f,,,,,,":       `inactive of user "u1"`,
		"two words,1,u1,-99,f,,,,,,":     `inactive of user "u1"`,
		"two words,1,u1,-2,t,,,,,,":      `optedOut of user "u1"`,
		"two words,1,u1,-30,t,,,,,,":     `optedOut of user "u1"`,
		"two words,1,u1,-31,t,,,,,,":     `optedOut of user "u1"`,
		"a:APA91b,1, ,-2,t,,,,,,":        `noUser of user ""`,
		"a:APA91b,0,u1,-2,t,,,,,,":       `otherChannel of user "u1"`,
		"a:APA91b,0,,-2,t,,,,,,not tags": `otherChannel of user ""`,
		// What is no subscription.
		"a:APA91b,1,u1":                                       "line 4: the number of fields is 3, not the 11 of the first line",
		"a:APA91b,1,u1,,,,,,,,not tags":                       "line 4: tags is no JSON object: invalid character",
		"a:APA91b,1,1.23457E+14,,,,,,,,":                      "line 4: userId 1.23457E+14 was rounded",
		"a:APA91b,0," + strings.Repeat("x", 513) + ",,,,,,,,": "line 4: userId is longer than 512 bytes",
	} {
		const around = "b:APA91b,1,u2,,,,,,,,\r\n"
		got, hints := readExportText(t, header+around+"\n"+row+"\n"+around, OneSignal)
		if len(got) != 3 || got[0] != "u2 b:APA91b android|||" || got[2] != got[0] || len(hints) > 0 {
			t.Errorf("%s: got %q, hints %q", row, got, hints)
		} else if isRow := strings.HasPrefix(want, "line"); !isRow && got[1] != want || !strings.HasPrefix(got[1], want) {
			t.Errorf("%s: got\n%s\nwant\n%s", row, got[1], want)
		}
	}
	got, hints := readExportText(t, " external_user_id ,device_type,identifier\nu1,1,a:APA91b\n", OneSignal)
	if strings.Join(got, "\n") != "u1 a:APA91b android|||" || len(hints) != 1 || !strings.Contains(hints[0], "without the column notification_types no one is known to have opted out") {
		t.Errorf("of the least columns: got %q, hints %q", got, hints)
	}
}

// A file of another kind is refused as a whole.
func TestWhatIsNoExport(t *testing.T) {
	t.Parallel()
	const endpoint = `{"ChannelType":"GCM","Address":"a:APA91b","User":{"UserId":"u1"}}`
	for _, c := range []struct {
		service    Service
		text, want string
	}{
		{Pinpoint, "", "its first line is no endpoint of Amazon Pinpoint"},
		{Pinpoint, "\n \n", "its first line is no endpoint"},
		{Pinpoint, "userId\nu1", "its first line is no endpoint"},
		{Pinpoint, "[" + endpoint + "]", "its first line is no endpoint"},
		{Pinpoint, "{}\n" + endpoint, "its first line is no endpoint"},
		{Pinpoint, "{\"ChannelType\":\n\"GCM\"}", "its first line is no endpoint"},
		{Pinpoint, `{"ChannelType":"GCM",` + strings.Repeat(" ", readAhead) + `"Address":""}`, "line 1 takes more than 262144 bytes"},
		{Pinpoint, "PK\x03\x04" + endpoint, "a ZIP archive or an Excel workbook"},
		{Pinpoint, "\xff\xfe\x00\x00{", "it is UTF-32"},
		{OneSignal, "", "it is no CSV export of OneSignal: its first line names no columns"},
		{OneSignal, "a,\"b\n", "its first line names no columns"},
		{OneSignal, strings.Repeat("x", 2*maxRow), "its first line names no columns"},
		{OneSignal, "userId\nu1", "its first line has no column identifier and no column device_type and no column external_user_id, which"},
		{OneSignal, "identifier,device_type\nx,1", "its first line has no column external_user_id, which the CSV export of OneSignal has: export it again with external_user_id"},
		{OneSignal, "\xff\xfe\x00\x00i", "it is UTF-32"},
	} {
		_, err := OpenExport(strings.NewReader(c.text), c.service)
		if _, file := errors.AsType[*FileError](err); !file || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s of %.40q: got %v, want %q", c.service, c.text, err, c.want)
		}
	}
}

// A token of APNs has 32 bytes or more.
func TestTokensOfAPNsAreNotFCMs(t *testing.T) {
	t.Parallel()
	const digits = "0123456789abcdefABCDEF0123456789"
	for text, want := range map[string]Reason{
		digits + digits: NotToken, digits + digits + "00": NotToken, digits + digits[:31]: "", digits + "g" + digits: "",
	} {
		if _, got := judgeAddress(text); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
