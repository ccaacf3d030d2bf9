// Calls sendEach of the Firebase Admin SDK for Node in a loop, as a service built on NestJS does with each chunk of
// an audience, and does nothing else: no queue, no tokens to find, no outcome to write.
//
//   node sendeach.mjs --endpoint https://127.0.0.1:4443/v1 --count 50000 --inflight 500 --sdk DIRECTORY
//
// --sdk is a directory whose node_modules holds firebase-admin. The authority that signed the endpoint's certificate
// comes by NODE_EXTRA_CA_CERTS. The exit code is 1 if a push failed.
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import tls from 'node:tls';
import { parseArgs } from 'node:util';

const text = { type: 'string' };
const { values } = parseArgs({ options: { endpoint: text, count: text, inflight: text, sdk: text } });
const require = createRequire(resolve(values.sdk, 'index.js'));
const { initializeApp } = require('firebase-admin/app');
const { getMessaging } = require('firebase-admin/messaging');

// The SDK knows no address but Google's. Every connection goes to the simulator instead; nothing else is changed.
const to = new URL(values.endpoint);
const connect = tls.connect;
tls.connect = (...given) => {
  const options = given.find((argument) => typeof argument === 'object') ?? {};
  const ready = given.find((argument) => typeof argument === 'function');
  return connect({ ...options, host: to.hostname, port: Number(to.port), servername: 'localhost' }, ready);
};

// The SDK takes up to 500 messages a call, and sends 100 of them at a time, over a connection of its own. So many calls
// at a time have as many requests in flight as the other senders.
const chunk = 500;
const calls = Math.ceil(Number(values.inflight) / 100);

const tail = ':APA91bHun4MxP5egoKMwt2KZFBaFUH-1RYqx3M0B0kXQ7gQv0kYtY2mB3uPQ5nC1sD8wJrLzXyVf6hTgUeIoKpAaSsDdFfGgHhJjKkLlQqWwEeRrTtYyUuIiOoPpZzXxCcVvBbNnMm';

function message(n) {
  const tag = `peers:user-${n}`;
  return {
    token: `bench-${n}${tail}`,
    notification: { title: 'Bench', body: 'One of many' },
    android: { notification: { tag } },
    apns: { headers: { 'apns-collapse-id': tag } },
  };
}

const credential = { getAccessToken: async () => ({ access_token: 'bench', expires_in: 3600 }) };
const messaging = getMessaging(initializeApp({ credential, projectId: 'bench' }));
const count = Number(values.count);
let next = 0;
let failed = 0;

async function drain() {
  while (next < count) {
    const size = Math.min(chunk, count - next);
    const messages = Array.from({ length: size }, (_, i) => message(next + i));
    next += size;
    const batch = await messaging.sendEach(messages);
    if (batch.failureCount > 0 && failed === 0) {
      console.error('first failure:', batch.responses.find((response) => !response.success).error);
    }
    failed += batch.failureCount;
  }
}

await Promise.all(Array.from({ length: calls }, drain));
if (failed > 0) {
  console.error(`${failed} of ${count} pushes failed`);
  process.exitCode = 1;
}
