// npm's oidc-provider, as tests/oidc_provider.rs wants it: signs everybody in as alice, and approves everything.
// Runs in the folder into which tests/oidc-provider/install has put it, with the Node.js that stands there:
//
//     cd target/tests/oidc-provider && ./node ../../../tests/oidc-provider/server.mjs --port 9000
//
// --path PATH        the path of the issuer identifier: none by default
// --require-nonce    every DPoP proof must carry a nonce
// --plain-answers    introspection responses are never signed
// --client-key JWK   the public key of the client "by-key"
//
// Says "listening on ISSUER" when it does. What belongs to the tests and not to the provider is under /control:
//
// GET /control/asked    what it was asked so far: ["GET /jwks", ...]
// PUT /control/keys     {"published": ["1", "2"], "signing": "2"}: changes keys, which are made when first named

import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const installed = createRequire(join(process.cwd(), 'package.json')).resolve('oidc-provider');
const { Provider } = await import(pathToFileURL(installed));

const { values: options } = parseArgs({
  options: {
    port: { type: 'string' },
    path: { type: 'string', default: '' },
    'require-nonce': { type: 'boolean', default: false },
    'plain-answers': { type: 'boolean', default: false },
    'client-key': { type: 'string' },
  },
});
const issuer = `http://127.0.0.1:${options.port}${options.path}`;

// Two APIs. oidc-provider chooses the form of a token by its resource, so each form of token is a resource here.
const AUDIENCES = ['https://api.example', 'https://other.example'];
const SCOPES = 'albums:read albums:write';
const KEY_TYPES = {
  RS256: 'rsa', PS256: 'rsa', ES256: 'ec', EdDSA: 'ed25519', Ed25519: 'ed25519',
};
const DAY = 24 * 60 * 60;

// The keys that sign.
let signing;

function resourceServerOf(resource) {
  const [, audience, form] = /^(https:\/\/[^/]+)\/(\w+)$/.exec(resource) ?? [];
  const common = { audience, scope: SCOPES, accessTokenTTL: DAY };
  if (!AUDIENCES.includes(audience)) throw new Error(`no resource here: ${resource}`);
  if (form === 'opaque') return { ...common, accessTokenFormat: 'opaque' };
  const { kid } = signing[KEY_TYPES[form]];
  return { ...common, accessTokenFormat: 'jwt', jwt: { sign: { alg: form, kid } } };
}

const secret = { token_endpoint_auth_method: 'client_secret_basic', response_types: [], redirect_uris: [] };
const app = {
  ...secret,
  grant_types: ['authorization_code', 'client_credentials', 'refresh_token'],
  response_types: ['code'],
  redirect_uris: ['https://app.example/cb'],
};
const clients = [
  { ...app, client_id: 'web', client_secret: 'web-secret-7Xk2' },
  { ...app, client_id: 'bound', client_secret: 'bound-secret-3Vn6', dpop_bound_access_tokens: true },
  // The resource server, which introspects.
  { ...secret, client_id: 'api', client_secret: 'api-secret-1Lm8', grant_types: [] },
];
if (options['client-key']) {
  // The same, by signatures, both its own and those of the answers.
  clients.push({
    ...secret,
    client_id: 'by-key',
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [JSON.parse(options['client-key'])] },
    grant_types: ['client_credentials'],
    ...(options['plain-answers'] ? {} : { introspection_signed_response_alg: 'ES256' }),
  });
}
const introspecting = ['api', 'by-key'];

const nonceSecret = randomBytes(32);
const cookies = { keys: [randomBytes(32).toString('hex')] };

function configuration(jwks) {
  return {
    clients,
    cookies,
    jwks,
    enabledJWA: { introspectionSigningAlgValues: ['RS256', 'ES256'] },
    findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    interactions: { url: (ctx, interaction) => `${options.path}/interaction/${interaction.uid}` },
    issueRefreshToken: () => true,
    pkce: { required: () => true },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      dPoP: { enabled: true, nonceSecret, requireNonce: () => options['require-nonce'] },
      introspection: { enabled: true, allowedPolicy: (ctx, client) => introspecting.includes(client.clientId) },
      jwtIntrospection: { enabled: !options['plain-answers'] },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (ctx, resource) => resourceServerOf(resource),
      },
    },
  };
}

const made = new Map();

// By key type.
function keysOf(name) {
  const key = (type, parameters) => {
    const { privateKey } = generateKeyPairSync(type, parameters);
    return { ...privateKey.export({ format: 'jwk' }), kid: randomUUID() };
  };
  if (!made.has(name)) {
    const [rsa, ec] = [key('rsa', { modulusLength: 2048 }), key('ec', { namedCurve: 'P-256' })];
    made.set(name, { rsa, ec, ed25519: key('ed25519') });
  }
  return made.get(name);
}

// A provider's keys are fixed when it is made. The next one knows no opaque token of the one before.
let provider;

function change({ published, signing: name }) {
  const keys = published.flatMap((one) => Object.values(keysOf(one)));
  provider = new Provider(issuer, configuration({ keys }));
  provider.on('server_error', (ctx, error) => console.error(error));
  signing = keysOf(name);
}

// Nobody looks at a page: the browser is sent on at once.
async function approve(request, response) {
  const { params } = await provider.interactionDetails(request, response);
  const grant = new provider.Grant({ accountId: 'alice', clientId: params.client_id });
  grant.addResourceScope(params.resource, params.scope);
  const consent = { grantId: await grant.save() };
  await provider.interactionFinished(request, response, { login: { accountId: 'alice' }, consent });
}

const asked = [];

async function control(request, response) {
  if (request.url === '/control/keys') change(await json(request));
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(asked));
}

async function answer(request, response) {
  const { method, url } = request;
  if (url.startsWith('/control/')) return control(request, response);
  asked.push(`${method} ${url.split('?')[0]}`);
  if (url.startsWith(`${options.path}/interaction/`)) return approve(request, response);
  if (url.startsWith(`${options.path}/`)) {
    request.originalUrl = url;
    request.url = url.slice(options.path.length);
    return provider.callback()(request, response);
  }
  response.statusCode = 404;
  return response.end();
}

function fail(response, error) {
  console.error(error);
  response.statusCode = 500;
  response.end();
}

change({ published: ['1'], signing: '1' });
const server = createServer((request, response) => {
  answer(request, response).catch((error) => fail(response, error));
});
server.listen(Number(options.port), '127.0.0.1', () => console.log(`listening on ${issuer}`));

// It ends with whoever started it, even if that was killed.
const parent = process.ppid;
setInterval(() => process.ppid === parent || process.exit(), 1000).unref();
