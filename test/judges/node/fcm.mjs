// FCM by Node's HTTP/2, over TLS: what it does depends on the beginning of the token. It takes the
// files of its certificate and key, and prints its port.
import fs from 'node:fs';
import http2 from 'node:http2';

const { NGHTTP2_REFUSED_STREAM, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR } = http2.constants;

const google = (code, status, details = []) => JSON.stringify({ error: { code, status, message: 'Said so.', details } });
const fcmError = (errorCode) => [{ '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode }];

function answer(stream, status, body, headers = {}) {
  stream.respond({ ':status': status, 'content-type': 'application/json', ...headers });
  stream.end(body);
}

const accept = (stream) => answer(stream, 200, JSON.stringify({ name: 'projects/demo/messages/1' }));

const answers = {
  accepted: accept,
  parts: (stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/json' });
    for (const c of JSON.stringify({ name: 'projects/demo/messages/1' })) stream.write(c);
    stream.end();
  },
  unregistered: (stream) => answer(stream, 404, google(404, 'NOT_FOUND', fcmError('UNREGISTERED'))),
  quota: (stream) => answer(stream, 429, google(429, 'RESOURCE_EXHAUSTED', fcmError('QUOTA_EXCEEDED')), { 'retry-after': '30' }),
  unavailable: (stream) => answer(stream, 503, google(503, 'UNAVAILABLE', fcmError('UNAVAILABLE'))),
  page: (stream) => answer(stream, 502, '<html>Bad Gateway</html>'),
  refused: (stream) => stream.close(NGHTTP2_REFUSED_STREAM),
  reset: (stream) => stream.close(NGHTTP2_INTERNAL_ERROR),
  cut: (stream) => {
    stream.respond({ ':status': 200, 'content-length': '100' });
    stream.write('{"name":', () => stream.close(NGHTTP2_INTERNAL_ERROR));
  },
  goaway: (stream) => {
    stream.session.goaway(NGHTTP2_NO_ERROR, stream.id);
    accept(stream);
  },
  gone: (stream) => stream.session.destroy(),
};

const [cert, key] = process.argv.slice(2).map((file) => fs.readFileSync(file));
const server = http2.createSecureServer({ cert, key, settings: { maxConcurrentStreams: 5 } });
server.on('session', (session) => session.on('error', () => {})); // a client may leave
server.on('stream', (stream) => {
  const parts = [];
  stream.on('error', () => {});
  stream.on('data', (part) => parts.push(part));
  stream.on('end', () => {
    const { token } = JSON.parse(Buffer.concat(parts)).message;
    answers[token.split('-')[0]](stream);
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
