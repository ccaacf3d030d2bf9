// An HTTP/2 server that echoes each body, for the tests of our client. It prints its port.
import http2 from 'node:http2';

const server = http2.createServer({ settings: { maxConcurrentStreams: 20, initialWindowSize: 1000, headerTableSize: 100 }, paddingStrategy: http2.constants.PADDING_STRATEGY_MAX });
server.on('stream', (stream, headers) => {
  const body = [];
  stream.on('data', (part) => body.push(part));
  stream.on('end', () => {
    stream.additionalHeaders({ ':status': 103, link: '</x>' });
    stream.respond({ ':status': 200, 'content-type': headers.authorization, 'x-length': headers['content-length'] }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ checksum: '1' }));
    stream.end(Buffer.concat(body));
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
