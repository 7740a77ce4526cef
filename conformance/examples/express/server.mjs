// Kaleyra's "Validate OTP" with Express. Sessions live in memory.
//
//     npm install
//     CONTROL=1 node server.mjs

import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import express from 'express';

// A mistake to try the suite on: with BUG=reuse, a code can be used again and again.
const BUG = process.env.BUG;

const hash = (text) => createHash('sha256').update(text).digest();

// JavaScript runs one function at a time, and none of these waits for anything, so each is atomic. With a database, `verify`
// is one transaction that locks the session's row.
class Store {
  accounts = new Map(); // the hash of the API key, by SID
  sessions = new Map(); // by Verify ID

  addAccount(sid, key) {
    this.accounts.set(sid, hash(key));
  }

  isKeyOf(sid, key) {
    const expected = this.accounts.get(sid);
    return expected !== undefined && key !== undefined && timingSafeEqual(expected, hash(key));
  }

  issue(sid, code, lifetime = 300, attempts = 5) {
    const id = randomUUID();
    const expiresAt = performance.now() + lifetime * 1000;
    this.sessions.set(id, { sid, code: hash(code), expiresAt, attemptsLeft: attempts, used: false });
    return id;
  }

  sessionOf(sid, id) {
    const session = this.sessions.get(id);
    return session?.sid === sid ? session : undefined;
  }

  verify(sid, id, code) {
    const session = this.sessionOf(sid, id);
    // Another account's session looks exactly like one that does not exist.
    if (session === undefined) return 'unknown';
    // The state decides before the code does, so that nobody can test codes on a session that is over.
    if (session.used) return 'used';
    if (session.attemptsLeft <= 0) return 'locked';
    if (performance.now() >= session.expiresAt) return 'expired';
    if (!timingSafeEqual(session.code, hash(code))) {
      session.attemptsLeft -= 1;
      return 'wrong';
    }
    session.used = BUG !== 'reuse';
    return 'approved';
  }
}

// The HTTP status, and what the vendor's page prints in `error`.
const ERRORS = {
  missingId: [400, 'E800', 'VALIDATION_ERROR', 'verify_id', 'verify_id field is mandatory'],
  missingCode: [400, 'E801', 'VALIDATION_ERROR', 'otp', 'otp field is mandatory'],
  malformedCode: [400, 'E803', 'VALIDATION_ERROR', 'OTP', 'OTP can contain only alphanumeric values.'],
  unknown: [404, 'E909', 'validation_error', 'flow_id', 'Record not found'],
  used: [400, 'E910', 'validation_error', '', 'OTP already verified'],
  locked: [400, 'E911', 'validation_error', 'OTP', 'Exceeded max number of attempts'],
  wrong: [400, 'E912', 'validation_error', 'OTP', 'Invalid Request/OTP'],
  expired: [400, 'E913', 'validation_error', '', 'The OTP has already expired'],
  unauthorized: [401, 'E401', 'authentication_error', 'api-key', 'Unauthorized'],
};

function refuse(response, [status, code, type, parameter, message]) {
  response.status(status).json({ error: { code, type, parameter, message, reference: '' } });
}

const store = new Store();
const app = express();
app.disable('x-powered-by');

// The control issues codes to whoever asks: only a test environment may have it.
if (process.env.CONTROL === '1') {
  const { control } = await import('./control.mjs');
  app.use('/_control/v1', control(store));
}

function authenticate(request, response, next) {
  if (store.isKeyOf(request.params.sid, request.get('api-key'))) return next();
  response.set('WWW-Authenticate', 'ApiKey');
  refuse(response, ERRORS.unauthorized);
}

// Whoever has no key cannot make the server read a body.
const readBody = express.json({ limit: '16kb', inflate: false });

app.post('/v1/:sid/verify/validate', authenticate, readBody, (request, response) => {
  const { verify_id: id, otp: code } = request.body ?? {};
  if (typeof id !== 'string' || id === '') return refuse(response, ERRORS.missingId);
  if (code === undefined || code === null || code === '') return refuse(response, ERRORS.missingCode);
  if (typeof code !== 'string' || !/^[0-9A-Za-z]{4,10}$/.test(code)) return refuse(response, ERRORS.malformedCode);
  const result = store.verify(request.params.sid, id, code);
  if (result !== 'approved') return refuse(response, ERRORS[result]);
  response.json({ data: { verify_id: id, message: 'OTP verified successfully.' } });
});

app.use((request, response) => {
  refuse(response, [404, 'E404', 'validation_error', '', 'Not found']);
});

// A body that is too long or not JSON. Express recognises this function by its four parameters.
app.use((error, request, response, next) => {
  const [, ...invalid] = ERRORS.wrong;
  refuse(response, error.status < 500 ? [error.status, ...invalid] : [500, 'E500', 'server_error', '', 'Internal error']);
});

const [host, port] = (process.env.LISTEN ?? '127.0.0.1:8080').split(/:(?=\d+$)/);
const server = app.listen(Number(port), host, () => {
  console.log(`listening on http://${host}:${server.address().port}`);
});
