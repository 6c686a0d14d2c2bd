// npm's oidc-provider as an issuer of one form of token, which the argument names: opaque, RS256, ES256 or EdDSA.
// Runs in the folder into which tests/oidc-provider/install has put it. Says "listening on ADDRESS" when it does, and
// "swept" to each line of its input: its store keeps a thousand entries, and forgets the eldest by itself.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const installed = createRequire(join(process.cwd(), 'package.json')).resolve('oidc-provider');
const { Provider } = await import(pathToFileURL(installed));

const form = process.argv[2];
const SCOPE = 'albums:read albums:write';
const KEY_TYPES = {
  RS256: ['rsa', { modulusLength: 2048 }],
  ES256: ['ec', { namedCurve: 'P-256' }],
  EdDSA: ['ed25519', {}],
};

const keyOf = ([type, parameters]) => generateKeyPairSync(type, parameters).privateKey.export({ format: 'jwk' });
// All of them, whichever signs: it wants one of RSA.
const keys = Object.entries(KEY_TYPES).map(([name, type]) => ({ ...keyOf(type), kid: name, use: 'sig' }));
const written = form === 'opaque'
  ? { accessTokenFormat: 'opaque' }
  : { accessTokenFormat: 'jwt', jwt: { sign: { alg: form, kid: form } } };

// It warns of its store in memory, which is what is measured here.
console.warn = console.info = () => {};
const provider = new Provider('https://as.example', {
  clients: [{
    client_id: 'machine',
    client_secret: 'a8fK2mQ9xT4vB7nZ1cR5sW3yE6uH0jL2p',
    token_endpoint_auth_method: 'client_secret_basic',
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
    scope: SCOPE,
  }],
  scopes: SCOPE.split(' '),
  cookies: { keys: [randomBytes(32).toString('hex')] },
  jwks: { keys },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (ctx, resource) => ({ audience: resource, scope: SCOPE, accessTokenTTL: 3600, ...written }),
    },
  },
});
provider.on('server_error', (ctx, error) => console.error(error));

const server = createServer(provider.callback());
server.listen(0, '127.0.0.1', () => console.log(`listening on 127.0.0.1:${server.address().port}`));
createInterface({ input: process.stdin }).on('line', () => console.log('swept')).on('close', () => process.exit());
