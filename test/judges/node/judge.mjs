// Lets the Firebase Admin SDK for Node, as npm has it, send to a simulator and prints what it reports.
//
// stdin   {"endpoint": "https://127.0.0.1:4443/v1", "account": {…}, "calls": [{"method": "send", "messages": [{…}]}]}
//         method: send (each message by itself, in order), sendEach, or sendEachForMulticast (to the messages' tokens)
// stdout  [[{"code": "messaging/…" or null, "id": …, "said": …}]]   one array a call, one entry a message;
//         the code is "never" where the SDK forgot the message: nothing is under way any more, and it reported nothing
//
// The certificate authority of the simulator comes by NODE_EXTRA_CA_CERTS.
import tls from 'node:tls';
import { cert, initializeApp } from 'firebase-admin/app';
import { getMessaging } from 'firebase-admin/messaging';

// JSON has no dates.
const revived = (key, value) => (key === 'eventTimestamp' ? new Date(value) : value);
const { endpoint, account, calls } = JSON.parse(await read(process.stdin), revived);
const to = new URL(endpoint);

// The SDK knows no address but Google's. Every connection goes to the simulator instead; nothing else is changed.
const connect = tls.connect;
tls.connect = (...given) => {
  const options = given.find((argument) => typeof argument === 'object') ?? {};
  const ready = given.find((argument) => typeof argument === 'function');
  return connect({ ...options, host: to.hostname, port: Number(to.port), servername: 'localhost' }, ready);
};

// The SDK repeats a 503 by itself after up to four seconds; the test does not wait for it.
const later = globalThis.setTimeout;
globalThis.setTimeout = (callback, delay, ...rest) => later(callback, Math.min(delay ?? 0, 2), ...rest);

const messaging = getMessaging(initializeApp({ credential: cert(account) }));
const reports = [];
for (const { method, messages } of calls) {
  reports.push(await report(method, messages));
}
process.stdout.write(JSON.stringify(reports));

async function report(method, messages) {
  if (method === 'send') {
    const entries = [];
    for (const message of messages) {
      entries.push(await settled(messaging.send(message)).then(accepted, refused));
    }
    return entries;
  }
  try {
    const batch = await settled(send(method, messages));
    return batch.responses.map((response) => (response.success ? accepted(response.messageId) : refused(response.error)));
  } catch (error) {
    return messages.map(() => refused(error)); // the connection failed for all of them
  }
}

function send(method, messages) {
  if (method === 'sendEach') {
    return messaging.sendEach(messages);
  }
  const { token, ...rest } = messages[0];
  return messaging.sendEachForMulticast({ ...rest, tokens: messages.map((message) => message.token) });
}

// settled fails when the process has nothing left to do and the promise still waits.
function settled(promise) {
  let idle;
  const forgotten = new Promise((_, reject) => {
    idle = () => reject(Object.assign(new Error('the SDK reported nothing'), { code: 'never' }));
    process.once('beforeExit', idle);
  });
  return Promise.race([promise, forgotten]).finally(() => process.off('beforeExit', idle));
}

function accepted(id) {
  return { code: null, id };
}

function refused(error) {
  return { code: error.code ?? 'none', said: error.message };
}

async function read(stream) {
  let text = '';
  for await (const chunk of stream.setEncoding('utf8')) {
    text += chunk;
  }
  return text;
}
