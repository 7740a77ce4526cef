// The operations by which the conformance suite creates accounts, issues codes and lets time pass. For tests only.

import { randomBytes, randomInt } from 'node:crypto';
import express from 'express';

const VENDOR = 'kaleyra';

class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

function clamp(wish, usual, most) {
  return Math.min(Math.max(Number.isInteger(wish) ? wish : usual, 1), most);
}

export function control(store) {
  const router = express.Router();
  router.use(express.json());

  function find(sid, id) {
    const session = store.sessions.get(id);
    if (session === undefined || session.sid !== sid) throw new Refusal(404, 'no such session');
    return session;
  }

  router.get('/', (request, response) => {
    const operations = ['tenants', 'sessions', 'age', 'resend'];
    response.json({ protocol: 1, implementation: 'express-example/1', vendors: [VENDOR], operations });
  });

  router.post('/tenants', (request, response) => {
    if (request.body?.vendor !== VENDOR) throw new Refusal(404, 'no such vendor');
    const sid = `HX${String(randomInt(1e10)).padStart(10, '0')}`;
    const key = randomBytes(24).toString('hex');
    store.addAccount(sid, key);
    response.status(201).json({ tenant: sid, parameters: { sid }, credentials: { apiKey: { value: key } } });
  });

  router.post('/sessions', (request, response) => {
    const { vendor, tenant, code, ttl_seconds, max_attempts, recipient_of } = request.body ?? {};
    if (typeof code !== 'string') throw new Refusal(400, 'the body has no code');
    if (vendor !== VENDOR || !store.accounts.has(tenant)) throw new Refusal(404, 'no such vendor or tenant');
    if (!/^[0-9A-Za-z]{4,10}$/.test(code)) throw new Refusal(422, 'a code has 4 to 10 letters and digits');
    const lifetime = clamp(ttl_seconds, 300, 3600);
    const attempts = clamp(max_attempts, 5, 100);
    let left = attempts;
    if (typeof recipient_of === 'string') {
      // The recipient's new code replaces the earlier one, and brings no new attempts.
      left = Math.min(left, find(tenant, recipient_of).attemptsLeft);
      store.sessions.delete(recipient_of);
    }
    const session = store.issue(tenant, code, lifetime, left);
    response.status(201).json({ session, ttl_seconds: lifetime, max_attempts: attempts });
  });

  router.post('/sessions/age', (request, response) => {
    const { tenant, session, seconds } = request.body ?? {};
    if (!Number.isInteger(seconds) || seconds < 0) throw new Refusal(400, 'seconds is no whole number');
    find(tenant, session).expiresAt -= seconds * 1000;
    response.status(204).end();
  });

  router.use((error, request, response, next) => {
    response.status(error.status ?? 500).json({ error: error.message });
  });
  return router;
}
