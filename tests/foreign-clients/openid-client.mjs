// npm's openid-client, by the commands of lines.mjs.

import { exported, fetchFor, installed, modification, pair, privateKey, read, serve, signed } from './lines.mjs';

const openid = await installed('openid-client');

function options(command) {
  return { algorithm: command.algorithm ?? 'oauth2', [openid.customFetch]: fetchFor(command) };
}

async function authentication(command) {
  const { client, proof } = command;
  const modified = { [openid.modifyAssertion]: modification(command) };
  switch (client.token_endpoint_auth_method) {
    case 'none':
      return openid.None();
    case 'client_secret_post':
      return openid.ClientSecretPost(client.client_secret);
    case 'client_secret_jwt':
      return openid.ClientSecretJwt(client.client_secret, modified);
    case 'private_key_jwt':
      return openid.PrivateKeyJwt(await privateKey(proof.key), modified);
    case 'tls_client_auth':
    case 'self_signed_tls_client_auth':
      return openid.TlsClientAuth();
    default:
      return openid.ClientSecretBasic(client.client_secret);
  }
}

const servers = new Map();

/** By RFC 8414, or by OpenID Connect if `algorithm` says so. */
async function discover(command) {
  const found = await openid.discovery(new URL(command.issuer), 'nobody', undefined, openid.None(), options(command));
  servers.set(command.issuer, found.serverMetadata());
  return servers.get(command.issuer);
}

/** The client, at the server that it has discovered. */
async function configured(command) {
  const { issuer, client } = command;
  const server = servers.get(issuer) ?? (await discover(command));
  const config = new openid.Configuration(server, client.client_id, client, await authentication(command));
  config[openid.customFetch] = fetchFor(command);
  return config;
}

/** It says nothing of it, but takes no answer whose signature is not good. */
async function introspect(command) {
  const config = await configured(command);
  const demanded = Boolean(command.client.introspection_signed_response_alg);
  if (demanded) openid.enableNonRepudiationChecks(config);
  const types = [];
  const fetch = fetchFor(command);
  config[openid.customFetch] = async (...request) => {
    const response = await fetch(...request);
    types.push(response.headers.get('content-type'));
    return response;
  };
  const known = await openid.tokenIntrospection(config, command.token);
  return demanded ? { ...known, signed: types[0] === 'application/token-introspection+jwt' } : known;
}

const handles = new Map();

async function dpop(config, { dpop: name }) {
  if (!name) return undefined;
  const keys = await pair(name, () => openid.randomDPoPKeyPair('ES256'));
  if (!handles.has(name)) handles.set(name, openid.getDPoPHandle(config, keys));
  return handles.get(name);
}

/** The client, and what goes with every request of its. */
async function prepared(command) {
  const config = await configured(command);
  return [config, { DPoP: await dpop(config, command) }];
}

async function register(command) {
  const { issuer, metadata, initial_access_token: initialAccessToken } = command;
  const by = await authentication({ ...command, client: { ...metadata, client_secret: 'none yet' } });
  const more = { ...options(command), initialAccessToken };
  return (await openid.dynamicClientRegistration(new URL(issuer), metadata, by, more)).clientMetadata();
}

/** Calls an API; a registration is one (RFC 7592). */
async function call({ url, method = 'GET', token, body, ...command }) {
  const [config, more] = await prepared(command);
  const headers = new Headers(body ? { 'content-type': 'application/json' } : {});
  const content = body ? JSON.stringify(body) : undefined;
  return read(await openid.fetchProtectedResource(config, token, new URL(url), method, content, headers, more));
}

async function clientCredentials(command) {
  const [config, more] = await prepared(command);
  return openid.clientCredentialsGrant(config, command.parameters, more);
}

/** The URL for the browser: `by` is a list of "jar" and "par". */
async function authorize(command) {
  const [config, more] = await prepared(command);
  const [state, verifier] = [openid.randomState(), openid.randomPKCECodeVerifier()];
  let parameters = {
    redirect_uri: command.client.redirect_uris[0],
    code_challenge: await openid.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    ...command.parameters,
  };
  const ways = command.by ?? [];
  let url = openid.buildAuthorizationUrl(config, parameters);
  if (ways.includes('jar')) {
    const key = await privateKey(command.proof.key);
    url = await openid.buildAuthorizationUrlWithJAR(config, parameters, key);
    parameters = url.searchParams;
  }
  if (ways.includes('par')) url = await openid.buildAuthorizationUrlWithPAR(config, parameters, more);
  return { url: url.href, state, verifier };
}

/** The tokens for the authorization response in `url`, or in `form` if it came by POST. */
async function redeem(command) {
  const [config, more] = await prepared(command);
  const url = new URL(command.url);
  const posted = () => new Request(url, { method: 'POST', body: new URLSearchParams(command.form) });
  const checks = { expectedState: command.state, pkceCodeVerifier: command.verifier };
  return openid.authorizationCodeGrant(config, command.form ? posted() : url, checks, undefined, more);
}

async function refresh(command) {
  const [config, more] = await prepared(command);
  return openid.refreshTokenGrant(config, command.token, command.parameters, more);
}

/** Any grant of the token endpoint, by its name. */
async function grant(command) {
  const [config, more] = await prepared(command);
  return openid.genericGrantRequest(config, command.grant_type, command.parameters, more);
}

/** Asks again and again, as long as `begun` says, until somebody has decided. */
async function poll(command) {
  const [config, more] = await prepared(command);
  return openid.pollDeviceAuthorizationGrant(config, command.begun, undefined, more);
}

await serve({
  authorize,
  call,
  client_credentials: clientCredentials,
  device: async (command) => openid.initiateDeviceAuthorization(await configured(command), command.parameters),
  discover,
  grant,
  introspect,
  key: async ({ alg }) => exported(await openid.randomDPoPKeyPair(alg, { extractable: true }), alg),
  poll,
  redeem,
  refresh,
  register,
  revoke: async (command) => openid.tokenRevocation(await configured(command), command.token),
  sign: signed,
  thumbprint: async (command) => (await prepared(command))[1].DPoP.calculateThumbprint(),
});
