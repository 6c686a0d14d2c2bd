//! Links to other servers: codes that wait to be redeemed there, and the tokens in use.

use proptest::prelude::*;

use super::*;

fn alone(state: &LinkState) -> MemoryStore {
    let store = MemoryStore::default();
    if let Some(tokens) = &state.tokens {
        assert!(now(store.replace_peer_tokens(tokens.clone(), None, UnixTime(0))).unwrap());
    }
    if let Some(code) = &state.code {
        assert_eq!(now(store.queue_code(code.clone())).unwrap(), Queued::Added);
    }
    store
}

fn held(store: &MemoryStore) -> Vec<LinkState> {
    now(store.list_links(None, 100)).unwrap().items
}

#[test]
fn a_part_of_a_link_that_has_ended_is_left_out() {
    let ended = |code: u64, tokens: u64| {
        let mut state = link();
        // A code is told of for a day after its end.
        state.code.as_mut().unwrap().expires_at = UnixTime(NOW.0 + code - 86_400);
        state.tokens.as_mut().unwrap().ends_at = UnixTime(NOW.0 + tokens);
        state
    };
    for (code, tokens) in [(1, 1), (0, 1), (1, 0), (0, 0)] {
        let (state, new) = (ended(code, tokens), MemoryStore::default());
        let done = imported(&exported(&alone(&state)), &new).unwrap();
        assert_eq!(done.inserted.links, u64::from(code + tokens > 0));
        let found = held(&new).pop().unwrap_or_default();
        assert_eq!(found.code, state.code.filter(|_| code > 0));
        assert_eq!(found.tokens, state.tokens.filter(|_| tokens > 0));
    }
}

#[test]
fn what_became_of_a_link_since_is_not_undone_by_the_next_import() {
    let (file, state) = (exported(&alone(&link())), link());
    let (code, tokens) = (state.code.unwrap(), state.tokens.unwrap());
    let redeemed = |store: &MemoryStore| {
        let next = PeerTokens { sealed: vec![5], ..tokens.clone() };
        now(store.finish_queued(code.link.clone(), code.id, Some(next))).map(drop)
    };
    let given_up = |store: &MemoryStore| now(store.finish_queued(code.link.clone(), code.id, None)).map(drop);
    let forgotten = |store: &MemoryStore| now(store.forget_link(code.link.clone())).map(drop);
    let refreshed = |store: &MemoryStore| {
        let next = PeerTokens { revision: 8, ..tokens.clone() };
        now(store.replace_peer_tokens(next, Some(tokens.revision), NOW)).map(drop)
    };
    let since: [&dyn Fn(&MemoryStore) -> _; 4] = [&redeemed, &given_up, &forgotten, &refreshed];
    for change in since {
        let new = MemoryStore::default();
        assert_eq!(imported(&file, &new).unwrap().inserted.links, 1);
        change(&new).unwrap();
        let before = held(&new);
        assert_eq!(imported(&file, &new).unwrap().left.links, 1);
        assert_eq!(held(&new), before);
    }
}

#[test]
fn tokens_that_are_there_stay_as_they_are() {
    let tokens = link().tokens.unwrap();
    let own = LinkState { code: None, tokens: Some(PeerTokens { revision: 1, sealed: vec![5], ..tokens }) };
    let (store, file) = (alone(&own), exported(&alone(&LinkState { code: None, ..link() })));
    assert_eq!(imported(&file, &store).unwrap().left.links, 1);
    assert_eq!(held(&store), [own]);
}

proptest! {
    #[test]
    fn any_link_arrives_as_it_was(
        (subject, sealed) in (proptest::option::of("\\PC{0,20}"), proptest::collection::vec(any::<u8>(), 0..40)),
        (attempts, revision) in (any::<u32>(), any::<u64>()),
        (queued, due, obtained, later) in (any::<u64>(), any::<u64>(), any::<u64>(), 1_800_000_001..=u64::MAX),
        expires in proptest::option::of(any::<u64>()),
        parts in 1..4,
    ) {
        let LinkState { code, tokens } = link();
        let link = ReciprocalLink::new(ClientId::new("web").unwrap(), subject);
        let code = code.filter(|_| parts & 1 > 0).map(|code| QueuedCode {
            link: link.clone(),
            sealed: sealed.clone(),
            attempts,
            queued_at: UnixTime(queued),
            due_at: UnixTime(due),
            expires_at: UnixTime(later),
            ..code
        });
        let tokens = tokens.filter(|_| parts & 2 > 0).map(|tokens| PeerTokens {
            link,
            sealed,
            obtained_at: UnixTime(obtained),
            expires_at: expires.map(UnixTime),
            ends_at: UnixTime(later),
            revision,
            ..tokens
        });
        let (state, new) = (LinkState { code, tokens }, MemoryStore::default());
        imported(&exported(&alone(&state)), &new).unwrap();
        prop_assert_eq!(held(&new), [state]);
    }
}
