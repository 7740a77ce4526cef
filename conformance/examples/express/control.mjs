// How `otp-conformance check kaleyra` creates accounts, issues codes and lets time pass; made with `otp-conformance init
// control`.

import { randomBytes, randomInt } from 'node:crypto';
import express from 'express';

const OPERATIONS = ['tenants', 'sessions', 'age', 'resend'];

async function createTenant(store) {
  const sid = `HX${String(randomInt(1e10)).padStart(10, '0')}`;
  const key = randomBytes(24).toString('hex');
  store.addAccount(sid, key);
  return { tenant: sid, parameters: { sid }, credentials: { apiKey: { value: key } } };
}

async function issueCode(store, { tenant, code, ttlSeconds, maxAttempts, recipientOf }) {
  const lifetime = Math.min(Math.max(ttlSeconds ?? 300, 1), 3600);
  const attempts = Math.min(Math.max(maxAttempts ?? 5, 1), 100);
  let left = attempts;
  if (!store.accounts.has(tenant)) return null;
  if (recipientOf !== null) {
    const earlier = store.sessionOf(tenant, recipientOf);
    if (earlier === undefined) return null;
    // The new code replaces the earlier one, and brings no new attempts.
    left = Math.min(left, earlier.attemptsLeft);
    store.sessions.delete(recipientOf);
  }
  const session = store.issue(tenant, code, lifetime, left);
  return { session, ttl_seconds: lifetime, max_attempts: attempts };
}

async function ageSession(store, { tenant, session, seconds }) {
  const found = store.sessionOf(tenant, session);
  if (found !== undefined) found.expiresAt -= seconds * 1000;
  return found !== undefined;
}

// The protocol. Nothing below needs a change.

const VENDOR = 'kaleyra';

class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

function expectRequest(body, strings) {
  for (const name of ['vendor', ...strings]) {
    if (typeof body?.[name] !== 'string') throw new Refusal(400, `${name} is not a string`);
  }
  if (body.vendor !== VENDOR) throw new Refusal(404, 'no such vendor');
}

function wholeNumber(body, name) {
  const value = body[name] ?? null;
  if (value !== null && !Number.isInteger(value)) throw new Refusal(400, `${name} is not a whole number`);
  return value;
}

export function control(server) {
  const router = express.Router();
  router.use(express.json());

  router.get('/', (request, response) => {
    response.json({ protocol: 1, implementation: 'express', vendors: [VENDOR], operations: OPERATIONS });
  });

  router.post('/tenants', async ({ body }, response) => {
    expectRequest(body, []);
    response.status(201).json(await createTenant(server));
  });

  router.post('/sessions', async ({ body }, response) => {
    expectRequest(body, ['tenant', 'code']);
    const { tenant, code, recipient_of: recipientOf = null } = body;
    if (!/^[0-9A-Za-z]{4,10}$/.test(code)) throw new Refusal(422, 'a code has 4 to 10 letters and digits');
    if (recipientOf !== null && !OPERATIONS.includes('resend')) throw new Refusal(501, 'resend is not implemented');
    const ttlSeconds = wholeNumber(body, 'ttl_seconds');
    const maxAttempts = wholeNumber(body, 'max_attempts');
    const issued = await issueCode(server, { tenant, code, ttlSeconds, maxAttempts, recipientOf });
    if (issued === null) throw new Refusal(404, 'no such tenant or session');
    response.status(201).json(issued);
  });

  router.post('/sessions/age', async ({ body }, response) => {
    expectRequest(body, ['tenant', 'session']);
    const seconds = wholeNumber(body, 'seconds');
    if (seconds === null || seconds < 0) throw new Refusal(400, 'seconds is missing or negative');
    const isKnown = await ageSession(server, { tenant: body.tenant, session: body.session, seconds });
    if (!isKnown) throw new Refusal(404, 'no such session');
    response.status(204).end();
  });

  // Express recognises this function by its four parameters.
  router.use((error, request, response, next) => {
    response.status(error.status ?? 500).json({ error: error.message });
  });
  return router;
}
