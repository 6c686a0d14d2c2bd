// npm's @sd-jwt/jwt-status-list, and jose, which verifies: whoever reads an access token and the list that it names,
// and asks nobody about the token. By the commands of lines.mjs.

import { fetchFor, installed, serve } from './lines.mjs';

const { getListFromStatusListJWT, getStatusListFromJWT } = await installed('@sd-jwt/jwt-status-list');
const { createRemoteJWKSet, customFetch, jwtVerify } = await installed('jose');

const TYPE = 'statuslist+jwt';

const sets = new Map();

/** The issuer's keys, wherever its metadata say that they are. */
async function keys({ issuer, ...command }) {
  if (!sets.has(issuer)) {
    const fetch = fetchFor(command);
    const metadata = await (await fetch(`${issuer}/.well-known/oauth-authorization-server`)).json();
    sets.set(issuer, createRemoteJWKSet(new URL(metadata.jwks_uri), { [customFetch]: fetch }));
  }
  return sets.get(issuer);
}

/** A list, verified. */
async function list(uri, command) {
  const response = await fetchFor(command)(uri, { headers: { accept: `application/${TYPE}` } });
  const type = response.headers.get('content-type');
  if (!response.ok || type !== `application/${TYPE}`) throw new Error(`${response.status} ${type}`);
  const token = await response.text();
  const expected = { typ: TYPE, issuer: command.issuer, subject: uri, requiredClaims: ['iat', 'exp'] };
  const { payload } = await jwtVerify(token, await keys(command), expected);
  const header = (name) => response.headers.get(name);
  const how = { kept: header('cache-control'), coding: header('content-encoding') };
  return { payload, statuses: getListFromStatusListJWT(token), how };
}

serve({
  /** The status of an access token, and what else its list says. */
  async status({ token, ...command }) {
    await jwtVerify(token, await keys(command), { typ: 'at+jwt', issuer: command.issuer });
    const { uri, idx } = getStatusListFromJWT(token);
    const { payload, statuses, how } = await list(uri, command);
    return {
      status: statuses.getStatus(idx),
      bits: statuses.getBitsPerStatus(),
      places: statuses.statusList.length,
      revoked: statuses.statusList.filter((status) => status !== 0).length,
      ttl: payload.ttl,
      ...how,
    };
  },

  /** How many lists the server says that there are, each of which is good. */
  async lists(command) {
    const fetch = fetchFor(command);
    const metadata = await (await fetch(`${command.issuer}/.well-known/oauth-authorization-server`)).json();
    const { status_lists: uris } = await (await fetch(metadata.status_list_aggregation_endpoint)).json();
    await Promise.all(uris.map((uri) => list(uri, command)));
    return uris.length;
  },
});
