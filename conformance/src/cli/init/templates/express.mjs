// The control of a server for __NAME__: how `otp-conformance check __VENDOR__` creates accounts, issues codes and lets time
// pass. It does so for whoever asks, so only a test environment may have it:
//
//     if (process.env.CONTROL === '1') {
//       const { control } = await import('./control.mjs');
//       app.use('/_control/v1', control(server));
//     }
//
// `server` is whatever the three functions below need, such as a connection to your database.

import express from 'express';

// Add 'resend' once issueCode() knows recipientOf.
const OPERATIONS = ['tenants', 'sessions', 'age'];

async function createTenant(server) {
  // Create an account that no other test has, without a limit on calls per second. Return the id by which the other two
  // functions know it, and what a client needs:
  //
  //     return {
  //       tenant: '…',
  //       parameters: { __PARAMETERS__ },
  //       credentials: { __CREDENTIALS__ },
  //     };
  throw new Refusal(501, 'createTenant is not implemented');
}

async function issueCode(server, { tenant, code, ttlSeconds, maxAttempts, recipientOf }) {
  // Issue exactly this code, as your server issues its own, for a recipient of its own and without a message. The next
  // two are wishes, or null for the usual limits (in the contract: __LIMITS__). Clamp them, and return
  // the limits in force, with null where there is none:
  //
  //     return { session: '…', ttl_seconds: ttlSeconds, max_attempts: maxAttempts };
  //
  // If `recipientOf` is not null, the code is for the recipient of that session, and replaces the earlier one there.
  // Return null if there is no such tenant or session.
  throw new Refusal(501, 'issueCode is not implemented');
}

async function ageSession(server, { tenant, session, seconds }) {
  // Make this session, and no other, older by so many seconds: move all its times back. With a database:
  //
  //     UPDATE sessions SET issued_at = issued_at - …, expires_at = expires_at - … WHERE tenant = … AND id = …
  //
  // Return whether there is such a session.
  throw new Refusal(501, 'ageSession is not implemented');
}

// The protocol. Nothing below needs a change.

const VENDOR = '__VENDOR__';

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
    if (!/^[__ALPHABET__]{__MIN__,__MAX__}$/.test(code)) throw new Refusal(422, 'a code has __CODES__');
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
