//! Parking and finishing interactions.

use super::{
    context::{Context, Verdict, conflicts, same},
    sample,
};
use crate::store::{FinishInteraction, ParkedInteraction};

pub(super) async fn an_interaction_belongs_to_one_browser_until_it_expires(context: &Context<'_>) -> Verdict {
    let store = &context.store;
    let parked = sample::parked(context)?;
    let (id, browser) = (parked.id, parked.browser);
    store.park_interaction(parked.clone()).await?;
    store.park_interaction(sample::parked(context)?).await?;
    same("at once", &store.interaction(id, browser, context.now).await?, &Some(parked.clone()))?;
    same("a moment before its end", &store.interaction(id, browser, context.after(599)).await?, &Some(parked))?;
    same("at its end", &store.interaction(id, browser, context.after(600)).await?, &None)?;
    same("another browser's", &store.interaction(id, sample::digest()?, context.now).await?, &None)?;
    same("another id", &store.interaction(sample::digest()?, browser, context.now).await?, &None)
}

pub(super) async fn an_interaction_id_is_taken_once(context: &Context<'_>) -> Verdict {
    let first = sample::parked(context)?;
    context.store.park_interaction(first.clone()).await?;
    let second = ParkedInteraction { id: first.id, ..sample::parked(context)? };
    conflicts("a second one", &context.store.park_interaction(second).await)?;
    let found = context.store.interaction(first.id, first.browser, context.now).await?;
    same("the first", &found, &Some(first))
}

pub(super) async fn an_interaction_ends_once_and_leads_to_its_grant(context: &Context<'_>) -> Verdict {
    let store = &context.store;
    for approved in [true, false] {
        let parked = sample::parked(context)?;
        store.park_interaction(parked.clone()).await?;
        let grant = approved.then(|| sample::coded(context)).transpose()?;
        let finish =
            FinishInteraction { id: parked.id, browser: parked.browser, now: context.now, grant: grant.clone() };
        let wrong = [
            ("another browser", FinishInteraction { browser: sample::digest()?, ..finish.clone() }),
            ("another id", FinishInteraction { id: sample::digest()?, ..finish.clone() }),
            ("too late", FinishInteraction { now: context.after(600), ..finish.clone() }),
        ];
        for (what, finish) in wrong {
            let made = finish.grant.as_ref().map(|grant| grant.id);
            same(what, &store.finish_interaction(finish).await?, &false)?;
            if let Some(id) = made {
                same(what, &store.grant(id).await?, &None)?;
            }
        }
        same("at first", &store.finish_interaction(finish.clone()).await?, &true)?;
        if let Some(grant) = grant {
            same("its grant", &store.grant(grant.id).await?, &Some(grant.clone()))?;
        }
        same("again", &store.finish_interaction(finish).await?, &false)?;
        same("afterwards", &store.interaction(parked.id, parked.browser, context.now).await?, &None)?;
    }
    Ok(())
}

pub(super) async fn an_interaction_outlives_a_grant_that_could_not_be_inserted(context: &Context<'_>) -> Verdict {
    let (parked, taken) = (sample::parked(context)?, sample::coded(context)?);
    context.store.park_interaction(parked.clone()).await?;
    context.store.insert_grant(taken.clone(), None).await?;
    let finish = FinishInteraction { id: parked.id, browser: parked.browser, now: context.now, grant: Some(taken) };
    conflicts("a grant that exists", &context.store.finish_interaction(finish.clone()).await)?;
    let found = context.store.interaction(parked.id, parked.browser, context.now).await?;
    same("the interaction", &found, &Some(parked))?;
    let finish = FinishInteraction { grant: Some(sample::coded(context)?), ..finish };
    same("another grant", &context.store.finish_interaction(finish).await?, &true)
}
