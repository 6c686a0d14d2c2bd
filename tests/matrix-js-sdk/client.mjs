// A Matrix client made of matrix-js-sdk as its authors made it. It runs in the folder into which the script `install`
// has put the package, with its homeserver's address as the argument, and with the certificate of the authority that
// vouches for it in NODE_EXTRA_CA_CERTS. It reads commands from its standard input, one JSON object to a line, and
// answers each with one line, until there are no more:
//
//     {"ok": VALUE} or {"error": {"kind": its class, "message": ..., "errcode": ..., "status": ..., ...}}
//
// A command has its name in `do`. Sessions have names: `name`.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

// What the library logs is no answer.
console.log = console.info = console.debug = console.trace = console.error;

const packageJson = join(process.cwd(), 'package.json');
const library = createRequire(packageJson).resolve('matrix-js-sdk');
const { createClient, HttpApiEvent, OAuth2 } = await import(pathToFileURL(library));

const baseUrl = process.argv[2];

/** The sign-ins that have begun, by their `state` or their `user_code`. */
const begun = new Map();
const sessions = new Map();

/** How many of the next answers of the token endpoint the network loses. */
let losing = 0;
const { fetch } = globalThis;
globalThis.fetch = async (resource, options) => {
  const answer = await fetch(resource, options);
  if (losing === 0 || !new URL(resource).pathname.endsWith('/token')) return answer;
  losing -= 1;
  await answer.text();
  throw new TypeError('fetch failed');
};

const commands = {
  /** The metadata, if the library believes them. */
  discover: () => createClient({ baseUrl }).getAuthMetadata(),

  register: async ({ metadata }) => OAuth2.registerClient(await commands.discover(), metadata),

  /** Where to send the browser. */
  async authorize({ client, device, callback, mode, prompt }) {
    const oauth = new OAuth2(await commands.discover(), { clientId: client, deviceId: device });
    const state = crypto.randomUUID();
    begun.set(state, oauth);
    return oauth.generateAuthorizationCodeGrantUrl(state, callback, mode, prompt);
  },

  /** Signs in with what the browser brought back. */
  async redeem({ name, url }) {
    const { origin, pathname, search, hash } = new URL(url);
    const answer = new URLSearchParams(hash.slice(1) || search);
    const oauth = begun.get(answer.get('state'));
    if (answer.has('error')) throw Object.assign(new Error('refused'), { error: answer.get('error') });
    return signIn(name, oauth, await oauth.completeAuthorizationCodeGrant(answer.get('code'), origin + pathname));
  },

  /** What a device shows whose person is to go elsewhere. */
  async device({ client, device }) {
    const oauth = new OAuth2(await commands.discover(), { clientId: client, deviceId: device });
    const shown = await oauth.startDeviceAuthorizationGrant();
    begun.set(shown.user_code, { oauth, shown });
    return shown;
  },

  /** Signs in once the person has said yes. */
  async wait({ name, code }) {
    const { oauth, shown } = begun.get(code);
    const answer = await oauth.waitForDeviceAuthorizationGrant(shown);
    return answer.error ? answer : signIn(name, oauth, answer);
  },

  /** The session `as` is that of `name`, but for some members. */
  resume: ({ name, as, members }) => begin(as, { ...sessions.get(name).known, ...members }),

  whoami: ({ name, loses = 0 }) => {
    losing = loses;
    return sessions.get(name).matrix.whoami();
  },

  logout: ({ name }) => sessions.get(name).matrix.logout(true),

  /** What was kept of it, and what the library said when it was over. */
  session: ({ name }) => ({ ...sessions.get(name).known, over: sessions.get(name).over }),
};

async function signIn(name, { context }, tokens) {
  begin(name, {
    accessToken: tokens.access_token,
    refreshToken: tokens.refresh_token,
    oauthClientId: context.clientId,
    deviceId: context.deviceId,
  });
  return { ...tokens, ...(await commands.whoami({ name })) };
}

function begin(name, known) {
  const session = { known, over: null };
  const onTokenRefresh = (tokens) => void Object.assign(known, tokens);
  session.matrix = createClient({ baseUrl, ...known, onTokenRefresh });
  session.matrix.on(HttpApiEvent.SessionLoggedOut, ({ data }) => (session.over = data));
  sessions.set(name, session);
}

async function run(action, command) {
  try {
    return { ok: (await action(command)) ?? null };
  } catch ({ name, message, error, errcode, httpStatus, data }) {
    return { error: { kind: name, message, error, errcode, status: httpStatus, body: data } };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(await run(commands[command.do], command))}\n`);
}
