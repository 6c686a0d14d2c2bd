//! Every verb of a store, once, for the stores that wrap others.

/// Hands the verbs, trait by trait, to the macro `$wrap`. A verb that is
/// missing here is missing in every wrapper, and they do not compile.
#[doc(hidden)]
#[macro_export]
macro_rules! every_verb {
    ($wrap:ident) => {
        $wrap! {
            $crate::store::Grants {
                insert_grant(grant: $crate::store::Grant, access: Option<$crate::store::AccessToken>) -> ();
                grant(id: $crate::token::GrantId) -> Option<$crate::store::Grant>;
                access(id: $crate::token::GrantId, digest: $crate::secret::Digest)
                    -> Option<($crate::store::Grant, $crate::store::AccessToken)>;
                redeem_code(redeem: $crate::store::RedeemCode) -> $crate::store::Redemption;
                rotate_refresh(rotate: $crate::store::RotateRefresh) -> $crate::store::RefreshOutcome;
                confirm_refresh(
                    id: $crate::token::GrantId,
                    access: $crate::secret::Digest,
                    now: $crate::clock::UnixTime
                ) -> bool;
                grants_of(
                    subject: String,
                    after: Option<$crate::token::GrantId>,
                    limit: usize
                ) -> Vec<$crate::store::Grant>;
                insert_access(
                    id: $crate::token::GrantId,
                    access: $crate::store::AccessToken,
                    now: $crate::clock::UnixTime
                ) -> bool;
                revoke_grant(id: $crate::token::GrantId, now: $crate::clock::UnixTime) -> $crate::store::Revocation;
                revoke_access(id: $crate::token::GrantId, digest: $crate::secret::Digest) -> bool;
                sweep(now: $crate::clock::UnixTime, limit: usize) -> usize;
            }
            $crate::store::Clients {
                client(id: $crate::client::ClientId) -> Option<std::sync::Arc<$crate::client::Client>>;
                put_client(client: $crate::client::Client) -> ();
                replace_client(client: $crate::client::Client, revision: u64) -> bool;
                delete_client(id: $crate::client::ClientId) -> bool;
            }
            $crate::store::Interactions {
                park_interaction(parked: $crate::store::ParkedInteraction) -> ();
                interaction(
                    id: $crate::secret::Digest,
                    browser: $crate::secret::Digest,
                    now: $crate::clock::UnixTime
                ) -> Option<$crate::store::ParkedInteraction>;
                finish_interaction(finish: $crate::store::FinishInteraction) -> bool;
            }
            $crate::store::SigningKeys {
                signing_keys() -> Vec<$crate::store::SealedKey>;
                insert_signing_key(key: $crate::store::SealedKey, newest: Option<$crate::clock::UnixTime>) -> bool;
                delete_signing_key(kid: String) -> bool;
            }
            $crate::store::Uses {
                first_use(
                    digest: $crate::secret::Digest,
                    until: $crate::clock::UnixTime,
                    now: $crate::clock::UnixTime
                ) -> bool;
                count_use(
                    digest: $crate::secret::Digest,
                    until: $crate::clock::UnixTime,
                    now: $crate::clock::UnixTime
                ) -> u64;
                uses(digest: $crate::secret::Digest, now: $crate::clock::UnixTime) -> u64;
            }
            $crate::store::Consents {
                consent(
                    subject: String,
                    client: $crate::client::ClientId,
                    now: $crate::clock::UnixTime
                ) -> Option<$crate::store::Consent>;
                replace_consent(
                    consent: $crate::store::Consent,
                    revision: Option<u64>,
                    now: $crate::clock::UnixTime
                ) -> bool;
                forget_consent(subject: String, client: $crate::client::ClientId) -> bool;
            }
            $crate::store::Transfer {
                list_clients(after: Option<$crate::store::Cursor>, limit: usize)
                    -> $crate::store::Page<std::sync::Arc<$crate::client::Client>>;
                list_grants(after: Option<$crate::store::Cursor>, limit: usize)
                    -> $crate::store::Page<$crate::store::Grant>;
                list_access(after: Option<$crate::store::Cursor>, limit: usize)
                    -> $crate::store::Page<($crate::token::GrantId, $crate::store::AccessToken)>;
                list_consents(after: Option<$crate::store::Cursor>, limit: usize)
                    -> $crate::store::Page<$crate::store::Consent>;
                list_links(after: Option<$crate::store::Cursor>, limit: usize)
                    -> $crate::store::Page<$crate::store::LinkState>;
            }
            $crate::store::Epoch {
                epoch() -> $crate::clock::UnixTime;
                raise_epoch(to: $crate::clock::UnixTime) -> $crate::clock::UnixTime;
            }
            $crate::store::Statuses {
                grant_statuses(id: $crate::token::GrantId, now: $crate::clock::UnixTime)
                    -> Vec<$crate::store::StatusPlace>;
                revoke_statuses(list: u64, indices: Vec<u32>, until: $crate::clock::UnixTime) -> ();
                revoked_statuses(list: u64, now: $crate::clock::UnixTime) -> Vec<u32>;
                claim_statuses(
                    group: $crate::secret::Digest,
                    until: $crate::clock::UnixTime,
                    now: $crate::clock::UnixTime
                ) -> u64;
                claimed_statuses(group: $crate::secret::Digest, now: $crate::clock::UnixTime) -> u64;
            }
            $crate::store::Reciprocals {
                queue_code(code: $crate::store::QueuedCode) -> $crate::store::Queued;
                take_queued(now: $crate::clock::UnixTime, until: $crate::clock::UnixTime)
                    -> Option<$crate::store::QueuedCode>;
                defer_queued(
                    link: $crate::store::ReciprocalLink,
                    id: $crate::secret::Digest,
                    due_at: $crate::clock::UnixTime
                ) -> bool;
                finish_queued(
                    link: $crate::store::ReciprocalLink,
                    id: $crate::secret::Digest,
                    tokens: Option<$crate::store::PeerTokens>
                ) -> $crate::store::Finished;
                peer_tokens(link: $crate::store::ReciprocalLink, now: $crate::clock::UnixTime)
                    -> Option<$crate::store::PeerTokens>;
                replace_peer_tokens(
                    tokens: $crate::store::PeerTokens,
                    revision: Option<u64>,
                    now: $crate::clock::UnixTime
                ) -> bool;
                forget_link(link: $crate::store::ReciprocalLink) -> Option<$crate::store::PeerTokens>;
                list_peer_tokens(
                    after: Option<$crate::store::Cursor>,
                    limit: usize,
                    now: $crate::clock::UnixTime
                ) -> $crate::store::Page<$crate::store::PeerTokens>;
                queued_codes(now: $crate::clock::UnixTime) -> u64;
            }
            $crate::store::Store {
                check() -> ();
            }
        }
    };
}
