"""PyPI's Authlib, by the commands of lines.mjs. It has no DPoP, and no requests that are signed or pushed."""

import json
import sys
from importlib import import_module

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_client import OAuth
from authlib.integrations.requests_client import AssertionSession, OAuth2Session
from authlib.oauth2.rfc7523 import ClientSecretJWT, PrivateKeyJWT
from authlib.oauth2.rfc7523.assertion import sign_jwt_bearer_assertion
from authlib.oauth2.rfc7591 import ClientMetadataClaims
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url
from flask import Flask
from flask import session as kept
from joserfc.jwk import ECKey, OKPKey, RSAKey, import_key
from requests import HTTPError

# What it calls a client that shows a certificate: nothing is in the request but its identifier.
METHODS = {"tls_client_auth": "none", "self_signed_tls_client_auth": "none"}

servers = {}


def discover(command):
    """By RFC 8414, or by OpenID Connect if `algorithm` says so. It leaves the latter to the caller."""
    if command.get("algorithm") == "oidc":
        url = command["issuer"] + "/.well-known/openid-configuration"
    else:
        url = get_well_known_url(command["issuer"], external=True)
    response = bare(command).get(url, withhold_token=True)
    metadata = AuthorizationServerMetadata(body_of(response))
    metadata.validate()
    servers[command["issuer"]] = metadata
    return metadata


def server(command):
    return servers.get(command["issuer"]) or discover(command)


def connection(command):
    """Whom to trust, and what to show."""
    return {"verify": command["ca"], "cert": command.get("certificate"), "trust_env": False}


def bare(command, token=None):
    bearer = token and {"access_token": token, "token_type": "Bearer"}
    return OAuth2Session(token=bearer, **connection(command))


def identity(command):
    """Who the client is: its identifier, what it proves that by, and how."""
    client, proof = command["client"], command.get("proof") or {}
    method = client.get("token_endpoint_auth_method", "client_secret_basic")
    key = proof.get("key") if method == "private_key_jwt" else None
    secret = import_key(key) if key else client.get("client_secret")
    settings = {
        "token_endpoint_auth_method": METHODS.get(method, method),
        "revocation_endpoint_auth_method": METHODS.get(method, method),
        "code_challenge_method": "S256",
        **connection(command),
    }
    return client["client_id"], secret, settings


def assertions(command):
    """How it makes assertions, if it does."""
    client, proof = command["client"], command.get("proof") or {}
    claims = {"jti": proof["jti"]} if "jti" in proof else None
    audience = proof.get("aud", server(command)["token_endpoint"])
    match client.get("token_endpoint_auth_method"):
        case "client_secret_jwt":
            algorithm = client.get("token_endpoint_auth_signing_alg")
            return [ClientSecretJWT(audience, claims, alg=algorithm)]
        case "private_key_jwt" if key := proof.get("key"):
            return [PrivateKeyJWT(audience, claims, {"kid": key["kid"]}, alg=key["alg"])]
    return []


def session(command):
    identifier, secret, settings = identity(command)
    spoken = OAuth2Session(identifier, secret, token_endpoint=server(command)["token_endpoint"], **settings)
    for made in assertions(command):
        spoken.register_client_auth_method(made)
    return spoken


site = Flask("client")
# Nothing that it signs goes anywhere.
site.secret_key = "secret"


def website(command):
    """The client as a website: there the library reads what the browser brings."""
    identifier, secret, settings = identity(command)
    return OAuth(site).register(
        "server",
        client_id=identifier,
        client_secret=secret,
        authorize_url=server(command)["authorization_endpoint"],
        access_token_url=server(command)["token_endpoint"],
        client_kwargs=settings,
        client_auth_methods=assertions(command),
    )


def body_of(response):
    """What is in an answer that the library hands on as it came."""
    if response.ok:
        return response.json() if response.content else None
    try:
        said = response.json()
    except ValueError:
        response.raise_for_status()
    raise Refused(response.status_code, said)


class Refused(Exception):
    def __init__(self, status, said):
        super().__init__(str(said))
        self.status, self.error = status, said.get("error")


def register(command):
    """It has no function for that but the one that calls an API."""
    token = command.get("initial_access_token")
    url = server(command)["registration_endpoint"]
    spoken = bare(command, token)
    response = body_of(spoken.post(url, json=command["metadata"], withhold_token=token is None))
    claims = ClientMetadataClaims(dict(response), {}, ClientMetadataClaims.get_claims_options(server(command)))
    claims.validate()
    return response


def call(command):
    """Calls an API; a registration is one (RFC 7592)."""
    spoken = bare(command, command["token"])
    response = spoken.request(command.get("method", "GET"), command["url"], json=command.get("body"))
    return {"status": response.status_code, "body": response.text}


def client_credentials(command):
    return session(command).fetch_token(grant_type="client_credentials", **command.get("parameters", {}))


def authorize(command):
    with site.test_request_context():
        to = command["client"]["redirect_uris"][0]
        sent = website(command).authorize_redirect(to, **command.get("parameters", {}))
        return {"url": sent.location, "kept": dict(kept)}


def redeem(command):
    form = command.get("form")
    with site.test_request_context(command["url"], method="POST" if form else "GET", data=form):
        kept.update(command["kept"])
        return website(command).authorize_access_token()


def refresh(command):
    return session(command).refresh_token(refresh_token=command["token"], **command.get("parameters", {}))


def grant(command):
    """Any grant of the token endpoint, by its name."""
    return session(command).fetch_token(grant_type=command["grant_type"], **command["parameters"])


def sign(command):
    """A JWT that another issuer makes: with its private JWK and the claims."""
    key, claims = command["key"], command["claims"]
    return sign_jwt_bearer_assertion(
        import_key(key),
        claims["iss"],
        claims["aud"],
        claims["sub"],
        claims=claims,
        header={"alg": key["alg"], "kid": key["kid"], "typ": command.get("typ", "JWT")},
    )


def bring(command):
    """An assertion of its own making, by its session for those, which knows no client."""
    key = command["key"]
    spoken = AssertionSession(
        server(command)["token_endpoint"],
        command["claims"]["iss"],
        command["claims"]["sub"],
        scope=command["scope"],
        key=import_key(key),
        header={"alg": key["alg"], "kid": key["kid"]},
        **connection(command),
    )
    return spoken.refresh_token()


def introspect(command):
    return body_of(session(command).introspect_token(server(command)["introspection_endpoint"], command["token"]))


def revoke(command):
    return body_of(session(command).revoke_token(server(command)["revocation_endpoint"], command["token"]))


def key(command):
    algorithm = command["alg"]
    common = {"alg": algorithm, "kid": "the-key"}
    if algorithm[:2] in ("RS", "PS"):
        made = RSAKey.generate_key(2048, common)
    elif algorithm[:2] == "ES":
        made = ECKey.generate_key({"ES256": "P-256", "ES384": "P-384"}[algorithm], common)
    else:
        made = OKPKey.generate_key("Ed25519", common)
    return {"private": made.as_dict(private=True), "public": made.as_dict(private=False)}


def names(command):
    """What is in one of its modules, if it has that."""
    try:
        return sorted(name for name in vars(import_module(command["module"])) if name[0].isupper())
    except ModuleNotFoundError:
        return None


COMMANDS = [
    authorize,
    bring,
    call,
    client_credentials,
    discover,
    grant,
    introspect,
    key,
    names,
    redeem,
    refresh,
    register,
    revoke,
    sign,
]


def run(command):
    action = {action.__name__: action for action in COMMANDS}.get(command["do"])
    if action is None or "dpop" in command or "by" in command:
        return {"error": {"message": "unsupported"}}
    try:
        return {"ok": action(command)}
    except Exception as error:
        return {"error": {"kind": type(error).__name__, "message": repr(error), **told(error)}}


def told(error):
    match error:
        case AuthlibBaseError():
            return {"error": error.error, "description": error.description}
        case Refused():
            return {"error": error.error, "status": error.status}
        case HTTPError():
            return {"status": error.response.status_code}
    return {}


for line in sys.stdin:
    print(json.dumps(run(json.loads(line))), flush=True)
