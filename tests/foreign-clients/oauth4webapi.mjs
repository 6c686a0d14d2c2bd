// npm's oauth4webapi, by the commands of lines.mjs.

import { exported, fetchFor, installed, modification, pair, privateKey, read, serve, signed } from './lines.mjs';

const oauth = await installed('oauth4webapi');

const servers = new Map();

/** By RFC 8414, or by OpenID Connect if `algorithm` says so. */
async function discover({ issuer, algorithm = 'oauth2', ...command }) {
  const url = new URL(issuer);
  const response = await oauth.discoveryRequest(url, {
    algorithm,
    [oauth.customFetch]: fetchFor(command),
  });
  servers.set(issuer, await oauth.processDiscoveryResponse(url, response));
  return servers.get(issuer);
}

async function server(command) {
  return servers.get(command.issuer) ?? discover(command);
}

async function authentication(command) {
  const { client, proof } = command;
  const options = { [oauth.modifyAssertion]: modification(command) };
  switch (client.token_endpoint_auth_method) {
    case 'none':
      return oauth.None();
    case 'client_secret_post':
      return oauth.ClientSecretPost(client.client_secret);
    case 'client_secret_jwt':
      return oauth.ClientSecretJwt(client.client_secret, options);
    case 'private_key_jwt':
      return oauth.PrivateKeyJwt(await privateKey(proof.key), options);
    case 'tls_client_auth':
    case 'self_signed_tls_client_auth':
      return oauth.TlsClientAuth();
    default:
      return oauth.ClientSecretBasic(client.client_secret);
  }
}

const handles = new Map();

async function dpop({ client = {}, dpop: name }) {
  if (!name) return undefined;
  const keys = await pair(name, () => oauth.generateKeyPair('ES256'));
  if (!handles.has(name)) handles.set(name, oauth.DPoP(client, keys));
  return handles.get(name);
}

/** What every call to a library's function begins with, and what it ends with. */
async function parties(command) {
  const options = { [oauth.customFetch]: fetchFor(command), DPoP: await dpop(command) };
  return { as: await server(command), by: await authentication(command), client: command.client, options };
}

/** Once more if the server wants a nonce (RFC 9449 section 8). */
async function patiently(attempt) {
  try {
    return await attempt();
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error;
    return attempt();
  }
}

async function register({ metadata, initial_access_token: initialAccessToken, ...command }) {
  const options = { initialAccessToken, [oauth.customFetch]: fetchFor(command) };
  const response = await oauth.dynamicClientRegistrationRequest(await server(command), metadata, options);
  return oauth.processDynamicClientRegistrationResponse(response);
}

/** Calls an API; a registration is one (RFC 7592). */
async function call({ url, method = 'GET', token, body, ...command }) {
  const headers = new Headers(body ? { 'content-type': 'application/json' } : {});
  const options = { [oauth.customFetch]: fetchFor(command), DPoP: await dpop(command) };
  const content = body ? JSON.stringify(body) : undefined;
  const ask = () => oauth.protectedResourceRequest(token, method, new URL(url), headers, content, options);
  return read(await patiently(ask));
}

async function clientCredentials(command) {
  const { as, by, client, options } = await parties(command);
  return patiently(async () => {
    const response = await oauth.clientCredentialsGrantRequest(as, client, by, command.parameters ?? {}, options);
    return oauth.processClientCredentialsResponse(as, client, response);
  });
}

/** The URL for the browser: `by` is a list of "jar" and "par". */
async function authorize(command) {
  const { as, by, client, options } = await parties(command);
  const [state, verifier] = [oauth.generateRandomState(), oauth.generateRandomCodeVerifier()];
  let parameters = new URLSearchParams({
    client_id: client.client_id,
    response_type: 'code',
    redirect_uri: client.redirect_uris[0],
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    ...command.parameters,
  });
  const ways = command.by ?? [];
  if (ways.includes('jar')) {
    const request = await oauth.issueRequestObject(as, client, parameters, await privateKey(command.proof.key));
    parameters = new URLSearchParams({ client_id: client.client_id, request });
  }
  if (ways.includes('par')) {
    const { request_uri } = await patiently(async () => {
      const response = await oauth.pushedAuthorizationRequest(as, client, by, parameters, options);
      return oauth.processPushedAuthorizationResponse(as, client, response);
    });
    parameters = new URLSearchParams({ client_id: client.client_id, request_uri });
  }
  const url = new URL(as.authorization_endpoint);
  for (const [name, value] of parameters) url.searchParams.append(name, value);
  return { url: url.href, state, verifier };
}

/** The tokens for the authorization response in `url`, or in `form` if it came by POST. */
async function redeem(command) {
  const { as, by, client, options } = await parties(command);
  const url = new URL(command.url);
  const posted = () => new Request(url, { method: 'POST', body: new URLSearchParams(command.form) });
  const given = command.form ? new URLSearchParams(await oauth.formPostResponse(posted())) : url;
  const response = oauth.validateAuthResponse(as, client, given, command.state);
  const to = client.redirect_uris[0];
  return patiently(async () => {
    const answer = await oauth.authorizationCodeGrantRequest(as, client, by, response, to, command.verifier, options);
    return oauth.processAuthorizationCodeResponse(as, client, answer);
  });
}

async function refresh(command) {
  const { as, by, client, options } = await parties(command);
  const more = { ...options, additionalParameters: command.parameters };
  return patiently(async () => {
    const response = await oauth.refreshTokenGrantRequest(as, client, by, command.token, more);
    return oauth.processRefreshTokenResponse(as, client, response);
  });
}

/** Any grant of the token endpoint, by its name. */
async function grant(command) {
  const { as, by, client, options } = await parties(command);
  return patiently(async () => {
    const { grant_type: type, parameters } = command;
    const response = await oauth.genericTokenEndpointRequest(as, client, by, type, parameters, options);
    return oauth.processGenericTokenEndpointResponse(as, client, response);
  });
}

async function introspect(command) {
  const { as, by, client, options } = await parties(command);
  const response = await oauth.introspectionRequest(as, client, by, command.token, options);
  const known = await oauth.processIntrospectionResponse(as, client, response);
  if (!client.introspection_signed_response_alg) return known;
  await oauth.validateApplicationLevelSignature(as, response, { [oauth.customFetch]: fetchFor(command) });
  return { ...known, signed: true };
}

async function revoke(command) {
  const { as, by, client, options } = await parties(command);
  const response = await oauth.revocationRequest(as, client, by, command.token, options);
  return oauth.processRevocationResponse(response);
}

/** What a device shows its person. */
async function device(command) {
  const { as, by, client, options } = await parties(command);
  const response = await oauth.deviceAuthorizationRequest(as, client, by, command.parameters, options);
  return oauth.processDeviceAuthorizationResponse(as, client, response);
}

/** Asks once whether they have decided. */
async function poll(command) {
  const { as, by, client, options } = await parties(command);
  const response = await oauth.deviceCodeGrantRequest(as, client, by, command.begun.device_code, options);
  return oauth.processDeviceCodeResponse(as, client, response);
}

await serve({
  authorize,
  call,
  client_credentials: clientCredentials,
  device,
  discover,
  grant,
  introspect,
  key: async ({ alg }) => exported(await oauth.generateKeyPair(alg, { extractable: true }), alg),
  poll,
  redeem,
  refresh,
  register,
  revoke,
  sign: signed,
  thumbprint: async (command) => (await dpop(command)).calculateThumbprint(),
});
