// A receiver of webhooks: verifies each message, drops repeats, and keeps the newest agenda of each participant.
//
// WEBHOOK_SECRET="whsec_… whpk_…" PORT=9000 node receive.mjs     needs: Node 18 or later, no packages

import { createHmac, createPublicKey, timingSafeEqual, verify } from 'node:crypto';
import { createServer } from 'node:http';

// Secrets (whsec_) and public keys (whpk_), separated by blanks. During a rotation: the new one and the old one.
const SECRETS = process.env.WEBHOOK_SECRET.split(/\s+/).filter(Boolean);
const TOLERANCE_SECONDS = 300;
const LARGEST_BODY = 1024 * 1024;

const seen = new Set(); // message ids; a database keeps them for some days
const agendas = new Map(); // by participant; a database keeps them for good

// Tell whether one of our secrets signed the message within the last five minutes.
function isGenuine(headers, body) {
  const id = headers['webhook-id'];
  const at = headers['webhook-timestamp'];
  if (!id || !/^\d+$/.test(at ?? '') || Math.abs(Date.now() / 1000 - Number(at)) > TOLERANCE_SECONDS) return false;
  const signed = Buffer.concat([Buffer.from(`${id}.${at}.`), body]);
  const entries = (headers['webhook-signature'] ?? '').split(' ').map((entry) => entry.split(','));
  return SECRETS.some((secret) =>
    entries.some(([version, text = '']) => matches(secret, version, Buffer.from(text, 'base64'), signed)),
  );
}

function matches(secret, version, signature, signed) {
  const [kind, text] = [secret.slice(0, secret.indexOf('_')), secret.slice(secret.indexOf('_') + 1)];
  if (kind === 'whsec' && version === 'v1') {
    const expected = createHmac('sha256', Buffer.from(text, 'base64')).update(signed).digest();
    return signature.length === expected.length && timingSafeEqual(signature, expected);
  }
  if (kind === 'whpk' && version === 'v1a') {
    const x = Buffer.from(text, 'base64').toString('base64url');
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    return verify(null, signed, key, signature);
  }
  return false;
}

// Keep an event. A repeat changes nothing, and neither does an older revision.
function take(id, { type, data }) {
  if (seen.has(id)) return;
  seen.add(id);
  if (type === 'org.tertulia.agenda.changed.v1') {
    const known = agendas.get(data.participant_id);
    if (!known || known.revision < data.revision) agendas.set(data.participant_id, data);
  }
}

async function bodyOf(request) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > LARGEST_BODY) throw new Error('too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

// Answers 204 once a message is kept, 401 to a message that is not genuine. `GET /` shows the agendas.
createServer(async (request, response) => {
  try {
    if (request.method !== 'POST') {
      response.end(JSON.stringify({ agendas: Object.fromEntries(agendas), messages: seen.size }));
      return;
    }
    const body = await bodyOf(request); // verify the bytes as they came, before they are parsed
    if (!isGenuine(request.headers, body)) {
      response.writeHead(401).end();
      return;
    }
    take(request.headers['webhook-id'], JSON.parse(body));
    response.writeHead(204).end();
  } catch {
    response.writeHead(400).end();
  }
}).listen(Number(process.env.PORT), '127.0.0.1');
