// Package judges lets programs that we did not write send to the simulator: the Firebase Admin SDKs
// for Node and for Go have to report of each answer what Google's reference says of it. It has
// tests only.
package judges
