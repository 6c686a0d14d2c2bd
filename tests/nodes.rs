//! Several servers on one store: any of them goes on where another left off, also under a new root
//! secret.

use std::collections::HashSet;

use oauth_core::{
    secret::RootSecret,
    server::{AuthorizationServerBuilder, BuildError},
};

use crate::support::*;

/// Under a new root secret that still knows the previous one.
fn rotated(builder: AuthorizationServerBuilder) -> AuthorizationServerBuilder {
    let previous: [u8; 32] = World::root().expose().try_into().unwrap();
    builder.root_secret(RootSecret::new([9; 32]).with_previous(previous))
}

fn same(builder: AuthorizationServerBuilder) -> AuthorizationServerBuilder {
    builder
}

/// Everything that one node issued.
struct Issued {
    code: String,
    tokens: Tokens,
    lost: (String, Tokens),
    jwt: Tokens,
}

impl Issued {
    async fn by(w: &World) -> Self {
        let jwt = w.code_for(&Ask::of(APP).with("resource", JWT_API)).await;
        let first = w.tokens(APP).await.refresh.unwrap();
        let second = w.refresh(APP, &first).await.tokens();
        let (code, tokens) = (w.code(APP).await, w.tokens(APP).await);
        Self { code, tokens, lost: (first, second), jwt: w.redeem(APP, &jwt).await.tokens() }
    }

    /// `w` takes it all as its own.
    async fn is_good_at(&self, w: &World) {
        assert!(w.lives(&self.tokens.access).await && w.lives(&self.jwt.access).await);
        assert_eq!(w.refresh(APP, &self.lost.0).await.tokens(), self.lost.1);
        w.redeem(APP, &self.code).await.tokens();
        w.refresh(APP, self.tokens.refresh.as_ref().unwrap()).await.tokens();
        w.revoke(APP, &self.jwt.access).await.is_revoked();
        assert!(!w.lives(&self.jwt.access).await);
        w.revoke(APP, self.jwt.refresh.as_ref().unwrap()).await.is_revoked();
        w.refresh(APP, self.jwt.refresh.as_ref().unwrap()).await.is_refused(400, "invalid_grant");
    }
}

// spec: SEC-20
#[tokio::test]
async fn what_one_node_issued_every_node_knows() {
    on_every_store(async |one| {
        let two = one.another(same).await.unwrap();
        Issued::by(&one).await.is_good_at(&two).await;
        Issued::by(&two).await.is_good_at(&one).await;
    })
    .await;
}

// spec: SEC-20, TOK-17, TOK-28, TOK-29
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn requests_that_race_on_two_nodes_are_one_family() {
    on_every_store(async |one| {
        let two = one.another(same).await.unwrap();
        let (code, token) = (one.code(APP).await, two.tokens(APP).await.refresh.unwrap());
        let ask = |number: usize| {
            let (w, code, token) = ([&one, &two][number % 2].clone(), code.clone(), token.clone());
            async move { (w.redeem(APP, &code).await, w.refresh(APP, &token).await.tokens()) }
        };
        let answers = all_at_once(50, ask).await;
        assert_eq!(answers.iter().filter(|(redeemed, _)| redeemed.status == 200).count(), 1);
        let pairs: HashSet<_> = answers.iter().map(|(_, pair)| (&pair.access, &pair.refresh)).collect();
        assert_eq!(pairs.len(), 1);
        assert!(one.lives(&answers[0].1.access).await && two.lives(&answers[0].1.access).await);
    })
    .await;
}

// spec: SEC-20
#[tokio::test]
async fn what_was_revoked_at_one_node_is_dead_at_the_other() {
    on_every_store(async |one| {
        let two = one.another(same).await.unwrap();
        let tokens = one.tokens(APP).await;
        assert!(two.lives(&tokens.access).await);
        one.revoke(APP, tokens.refresh.as_ref().unwrap()).await.is_revoked();
        assert!(!two.lives(&tokens.access).await);
        two.refresh(APP, &tokens.refresh.unwrap()).await.is_refused(400, "invalid_grant");
    })
    .await;
}

#[tokio::test]
async fn what_the_previous_root_secret_made_stays_good() {
    on_every_store(async |old| {
        let issued = Issued::by(&old).await;
        let new = old.another(rotated).await.unwrap();
        issued.is_good_at(&new).await;
        // Everything new is made with the new one, which the old node does not know.
        let fresh = new.tokens(APP).await;
        assert!(new.lives(&fresh.access).await && !old.lives(&fresh.access).await);
    })
    .await;
}

#[tokio::test]
async fn a_person_between_two_pages_goes_on_under_a_new_root_secret() {
    on_every_store(async |old| {
        let mut browser = Browser::new(&old);
        let (page, consent) = browser.consent(&Ask::of(APP)).await;
        let new = old.another(rotated).await.unwrap();
        browser.move_to(&new);
        // Nobody has to sign in or to decide again.
        browser.submit(&page, &fields_of(&consent, "approve")).await.redirected_to(CALLBACK);
    })
    .await;
}

#[tokio::test]
async fn a_wrong_root_secret_is_found_at_start_up() {
    on_every_store(async |w| {
        let wrong = w.another(|builder| builder.root_secret(RootSecret::new([9; 32]))).await;
        assert!(matches!(wrong.map(drop), Err(BuildError::Fault(_))), "its signing key cannot be opened");
    })
    .await;
}
