package content_test

import (
	"encoding/json"
	"testing"
	"time"

	"firebase.google.com/go/v4/messaging"

	"fanfare/internal/content"
	"fanfare/internal/notification"
)

const (
	plainMessage = `{"notification":{"title":"Hello Ada","body":"Your order 4711 is on its way"},
		"data":{"order":"4711","screen":"orders"},"android":{"priority":"high","ttl":"3600s","notification":{"channel_id":"orders"}},
		"apns":{"payload":{"aps":{"sound":"default","badge":1}}}}`
	personalMessage = `{"notification":{"title":"Hi {{name|there}}","body":"{{points}} points wait in {{city|your city}}"},
		"data":{"link":"https://example.com/u/{{id}}","campaign":"spring"},"android":{"priority":"high","ttl":"3600s"},
		"apns":{"payload":{"aps":{"sound":"default","badge":"{{unread|0}}"}}}}`
)

var envelope = content.Envelope{
	Target:   notification.ParseToken("cMr3eGJhR0-kT1:APA91bHun4MxP5egoKMwt2cMr3eGJhR0-kT1APA91bHun4MxP5egoKMwt2cMr3eGJhR0-kT1APA91bHun4MxP5egoKMwt2"),
	Campaign: "spring-2026", User: "u-778899", TTL: time.Hour,
}

// BenchmarkBody writes the request of a message that is the same for all.
func BenchmarkBody(b *testing.B) {
	m, now := compile(b, plainMessage).Shared(), time.Now()
	b.ReportAllocs()
	for b.Loop() {
		m.AppendRequest(nil, envelope, now)
	}
}

// BenchmarkBodyOfTheSDK writes the same request as the Firebase SDK does.
func BenchmarkBodyOfTheSDK(b *testing.B) {
	var request struct {
		Message *messaging.Message `json:"message"`
	}
	if err := json.Unmarshal(compile(b, plainMessage).Shared().AppendRequest(nil, envelope, time.Now()), &request); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := json.Marshal(request); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRender fills in a personal message from the element, and writes its request.
func BenchmarkRender(b *testing.B) {
	c, now := compile(b, personalMessage), time.Now()
	vars := object(`{"points":1250,"id":"u-778899","name":"Trần Thị Ánh","city":"Huế"}`)
	b.ReportAllocs()
	for b.Loop() {
		m, err := c.Fill(vars, nil)
		if err != nil {
			b.Fatal(err)
		}
		m.AppendRequest(nil, envelope, now)
	}
}

// BenchmarkRenderFromProfile finds a city in an object of the profile.
func BenchmarkRenderFromProfile(b *testing.B) {
	c, now := compile(b, `{"notification":{"title":"Hi {{name|there}}","body":"{{points}} points wait in {{address.city|your city}}"}}`), time.Now()
	vars := object(`{"points":1250,"id":"u-778899"}`)
	profile := object(`{"name":"Trần Thị Ánh","address":{"city":"Huế","street":"Lê Lợi"}}`)
	b.ReportAllocs()
	for b.Loop() {
		m, err := c.Fill(vars, profile)
		if err != nil {
			b.Fatal(err)
		}
		m.AppendRequest(nil, envelope, now)
	}
}

// BenchmarkDotted fills in 400 placeholders from one object.
func BenchmarkDotted(b *testing.B) {
	text, vars := dotted(400)
	c := compile(b, text)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Fill(vars, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		compile(b, personalMessage)
	}
}
