// What the clients from npm have in common. Each runs in the folder into which the script `install` has put it, reads
// commands from its standard input, one JSON object to a line, and answers each with one line:
//
//     {"ok": VALUE} or {"error": {"kind": its class, "message": ..., "error": ..., "status": ...}}
//
// It ends when there are no more. A command has these members, and others of its own:
//
// do            its name
// issuer        the authorization server
// ca            the file with the certificate of the authority that vouches for it
// certificate   the file with the certificate that the client shows, and its key
// client        the client's metadata, with client_id and all that the registration said
// proof         {"key": private JWK, "aud": audience, "jti": identifier} for assertions
// dpop          the name of a key pair that is made when it is first named

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

/** A package that was installed. */
export function installed(name) {
  return import(pathToFileURL(createRequire(join(process.cwd(), 'package.json')).resolve(name)));
}

/** Answers commands until there are no more. */
export async function serve(commands) {
  for await (const line of createInterface({ input: process.stdin })) {
    const command = JSON.parse(line);
    const answer = await run(commands[command.do], command);
    console.log(JSON.stringify(answer));
  }
}

async function run(action, command) {
  if (!action) return { error: { message: 'unsupported' } };
  try {
    return { ok: (await action(command)) ?? null };
  } catch (error) {
    return { error: await told(error) };
  }
}

/** What the library says went wrong, and the code in the challenge or in the body where it has not read that far. */
async function told(error) {
  const reasons = [];
  for (let reason = error; reason instanceof Error; reason = reason.cause) reasons.push(reason.message);
  const { response } = error;
  const body = response?.bodyUsed === false ? await response.json().catch(() => ({})) : {};
  const challenges = Array.isArray(error.cause) ? error.cause : [];
  const challenged = challenges.map(({ parameters }) => parameters.error).find((code) => code);
  return {
    kind: error.name,
    message: reasons.join(': '),
    error: error.error ?? challenged ?? body.error,
    description: error.error_description ?? body.error_description,
    status: error.status ?? response?.status,
  };
}

const { Agent, fetch: fetchBy } = await installed('undici');
const agents = new Map();

/** A fetch that trusts nobody but the authority, and shows the certificate. */
export function fetchFor({ ca, certificate }) {
  const name = `${ca} ${certificate}`;
  if (!agents.has(name)) {
    const shown = certificate && readFileSync(certificate);
    agents.set(name, new Agent({ connect: { ca: readFileSync(ca), cert: shown, key: shown } }));
  }
  return (url, options) => fetchBy(url, { ...options, dispatcher: agents.get(name) });
}

const PARAMETERS = {
  RS: { name: 'RSASSA-PKCS1-v1_5' },
  PS: { name: 'RSA-PSS' },
  ES: { name: 'ECDSA' },
  Ed: { name: 'Ed25519' },
};

/** A private JWK with `alg`, as what these libraries sign with. */
export async function privateKey({ alg, kid, ...jwk }) {
  const parameters = { ...PARAMETERS[alg.slice(0, 2)], hash: `SHA-${alg.slice(2)}`, namedCurve: jwk.crv };
  return { key: await crypto.subtle.importKey('jwk', jwk, parameters, false, ['sign']), kid };
}

const { SignJWT } = await installed('jose');

/** A JWT that another issuer makes: with its private JWK and the claims. */
export async function signed({ key: jwk, claims, typ = 'JWT' }) {
  const { key, kid } = await privateKey(jwk);
  return new SignJWT(claims).setProtectedHeader({ alg: jwk.alg, kid, typ }).sign(key);
}

/** Both halves of a key pair, as JWKs. */
export async function exported({ privateKey, publicKey }, alg) {
  const jwk = async (key) => ({ ...(await crypto.subtle.exportKey('jwk', key)), alg, kid: 'the-key' });
  return { private: await jwk(privateKey), public: await jwk(publicKey) };
}

/** Changes an assertion as the command wants it. */
export function modification({ client, proof = {} }) {
  return (header, payload) => {
    if (proof.aud) payload.aud = proof.aud;
    if (proof.jti) payload.jti = proof.jti;
    if (client.token_endpoint_auth_method === 'private_key_jwt') header.alg = proof.key.alg;
  };
}

/** An answer that is for the caller to read. */
export async function read(response) {
  return { status: response.status, body: await response.text() };
}

const pairs = new Map();

/** The key pair of that name, which `make` makes. */
export function pair(name, make) {
  if (!pairs.has(name)) pairs.set(name, make());
  return pairs.get(name);
}
