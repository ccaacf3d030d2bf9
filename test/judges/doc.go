// Package judges tests with programs that we did not write. The Firebase Admin SDKs for Node.js and
// Go must report every answer of the simulator as Google's reference describes it. HTTP/2 servers
// must understand our connections. The package has tests only.
package judges
