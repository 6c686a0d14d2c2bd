//! Every verb of a store, once, for the stores that wrap others.

/// Hands the verbs, trait by trait, to the macro `$wrap`. A verb that is
/// missing here is missing in every wrapper, and they do not compile.
macro_rules! every_verb {
    ($wrap:ident) => {
        $wrap! {
            Grants {
                insert_grant(grant: Grant, access: Option<AccessToken>) -> ();
                grant(id: GrantId) -> Option<Grant>;
                access(id: GrantId, digest: Digest) -> Option<(Grant, AccessToken)>;
                redeem_code(redeem: RedeemCode) -> Redemption;
                rotate_refresh(rotate: RotateRefresh) -> RefreshOutcome;
                insert_access(id: GrantId, access: AccessToken, now: UnixTime) -> bool;
                revoke_grant(id: GrantId, now: UnixTime) -> Revocation;
                revoke_access(id: GrantId, digest: Digest) -> bool;
                sweep(now: UnixTime, limit: usize) -> usize;
            }
            Clients {
                client(id: ClientId) -> Option<Arc<Client>>;
                put_client(client: Client) -> ();
                replace_client(client: Client, revision: u64) -> bool;
                delete_client(id: ClientId) -> bool;
            }
            Interactions {
                park_interaction(parked: ParkedInteraction) -> ();
                interaction(id: Digest, browser: Digest, now: UnixTime) -> Option<ParkedInteraction>;
                finish_interaction(finish: FinishInteraction) -> bool;
            }
            SigningKeys {
                signing_keys() -> Vec<SealedKey>;
                insert_signing_key(key: SealedKey, newest: Option<UnixTime>) -> bool;
                delete_signing_key(kid: String) -> bool;
            }
            Uses {
                first_use(digest: Digest, until: UnixTime, now: UnixTime) -> bool;
                count_use(digest: Digest, until: UnixTime, now: UnixTime) -> u64;
                uses(digest: Digest, now: UnixTime) -> u64;
            }
            Store {
                check() -> ();
            }
        }
    };
}
pub(super) use every_verb;
