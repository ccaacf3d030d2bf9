package h2_test

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"

	"fanfare/fcmsim/internal/h2"
)

// echoHandler answers each request with its path, and resets the stream of /reset.
type echoHandler struct{}

func (echoHandler) HandleHeaders(r *h2.Request) (h2.Reply, bool) {
	return h2.Reply{Fault: h2.FaultReset}, r.Path == "/reset"
}

func (echoHandler) HandleRequest(r *h2.Request) h2.Reply {
	return h2.Reply{Status: http.StatusOK, Body: []byte("you asked for " + r.Path)}
}

func (echoHandler) Finish(*h2.Request, bool) {}

func ExampleServer() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	server := h2.NewServer(echoHandler{}, h2.Options{})
	defer server.Close()
	go func() {
		defer listener.Close()
		conn, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		link := h2.NewLink(conn, func() {})
		server.Serve(link, link)
	}()

	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	url := "http://" + listener.Addr().String()
	res, err := client.Get(url + "/hello")
	if err != nil {
		log.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	fmt.Println(res.Proto, string(body), err)

	_, err = client.Get(url + "/reset")
	fmt.Println(err != nil)
	// Output:
	// HTTP/2.0 you asked for /hello <nil>
	// true
}
