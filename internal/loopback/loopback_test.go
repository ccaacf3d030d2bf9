package loopback

import (
	"net"
	"testing"
)

func TestHosts(t *testing.T) {
	t.Parallel()
	own := []string{"localhost", "LocalHost", "localhost.", "api.localhost", "127.0.0.1", "127.9.8.7", "::1", "[::1]", "::ffff:127.0.0.1"}
	foreign := []string{"", "localhost.example.com", "notlocalhost", "10.0.0.1", "0.0.0.0", "::", "redis", "127.0.0.1.example.com", "2001:db8::1"}
	for _, host := range own {
		if !IsHost(host) {
			t.Errorf("%q is this machine", host)
		}
		if address := net.JoinHostPort(StripPort(host), "8080"); !IsHostPort(address) {
			t.Errorf("%q is this machine", address)
		}
	}
	for _, host := range foreign {
		if IsHost(host) || IsHostPort(host) || IsHostPort(net.JoinHostPort(host, "8080")) {
			t.Errorf("%q is another machine", host)
		}
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"127.0.0.1:80": true, "[::1]:80": true, "0.0.0.0:80": false, "192.0.2.1:80": false} {
		addr, err := net.ResolveTCPAddr("tcp", text)
		if err != nil {
			t.Fatal(err)
		}
		if IsAddr(addr) != want {
			t.Errorf("IsAddr(%s) = %t", text, !want)
		}
	}
	if IsAddr(&net.UnixAddr{Name: "/run/redis.sock"}) {
		t.Error("a socket's path is no TCP address")
	}
}
