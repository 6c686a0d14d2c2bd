//! What each driver promises, on real servers.

use std::time::Duration;

use oauth_core::bus::{Bus, Heard, LONGEST_MESSAGE, Listening, News, Post, Receiver, Topic};
use oauth_core::store::{postgres::PostgresBus, redis::RedisBus};
use tokio::time::timeout;

use super::{PATIENCE, Place, on_every_bus, patient_postgres, until};
use crate::support::*;

const LONG: Duration = Duration::from_secs(3600);

fn topic(name: &str) -> Topic {
    Topic::audience(ISSUER, name)
}

fn post(name: &str, bytes: impl Into<Vec<u8>>) -> Post {
    Post { topic: topic(name), bytes: bytes.into() }
}

async fn heard(ear: &mut Box<dyn Listening>) -> Heard {
    timeout(PATIENCE, ear.next()).await.expect("nothing is heard").unwrap()
}

async fn news(receiver: &mut Receiver) -> News {
    timeout(PATIENCE, receiver.next()).await.expect("nothing is heard")
}

#[tokio::test]
async fn what_is_published_is_heard_by_all_who_listen_to_its_topic() {
    on_every_bus(async |place| {
        let (one, two) = (place.bus(0, LONG), place.bus(4, LONG));
        let mut ears =
            [one.listen(vec![topic("a"), topic("b")]).await.unwrap(), two.listen(vec![topic("a")]).await.unwrap()];
        // All that a byte can be, and as long as may be.
        let bytes: Vec<u8> = (0..=255).cycle().take(LONGEST_MESSAGE).collect();
        two.publish(vec![post("c", "none"), post("b", "first"), post("a", bytes.clone()), post("a", "")])
            .await
            .unwrap();
        assert_eq!(heard(&mut ears[0]).await, Heard::Message(post("b", "first")));
        for ear in &mut ears {
            assert_eq!(heard(ear).await, Heard::Message(post("a", bytes.clone())));
            assert_eq!(heard(ear).await, Heard::Message(post("a", "")));
        }
        assert!(two.publish(vec![post("a", vec![0; LONGEST_MESSAGE + 1])]).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_is_cut_is_noticed_and_comes_back_with_a_gap() {
    on_every_bus(async |place| {
        let (teller, ear) = (place.bus(1, LONG), place.bus(2, LONG));
        let mut receiver = Receiver::new(ear, vec![topic("a")]);
        assert!(matches!(news(&mut receiver).await, News::Gap));
        for round in ["first", "second"] {
            teller.publish(vec![post("a", round)]).await.unwrap();
            let News::Message(message) = news(&mut receiver).await else { panic!("{round}") };
            assert_eq!(message, post("a", round));
            place.cut().await;
            assert!(matches!(news(&mut receiver).await, News::Lost(_)));
            assert!(matches!(news(&mut receiver).await, News::Gap));
        }
        // So was the one that tells, and nobody noticed.
        teller.publish(vec![post("a", "last")]).await.unwrap();
        assert!(matches!(news(&mut receiver).await, News::Message(_)));
    })
    .await;
}

#[tokio::test]
async fn a_listener_that_asks_all_the_time_whether_it_still_hears_misses_nothing() {
    on_every_bus(async |place| {
        let (teller, ear) = (place.bus(0, LONG), place.bus(3, Duration::from_millis(1)));
        let mut ear = ear.listen(vec![topic("a")]).await.unwrap();
        for number in 0..100_u8 {
            teller.publish(vec![post("a", [number]), post("a", [number, number])]).await.unwrap();
            assert_eq!(heard(&mut ear).await, Heard::Message(post("a", [number])));
            assert_eq!(heard(&mut ear).await, Heard::Message(post("a", [number, number])));
            let silence = timeout(Duration::from_millis(5), ear.next()).await;
            assert!(silence.is_err(), "what it tells itself is nobody's business: {silence:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_server_that_hangs_is_noticed_and_so_is_one_that_is_not_there() {
    let (keepalive, patience) = (Duration::from_millis(50), Duration::from_secs(1));
    let database = new_database().await;
    let redis = Redis::start("");
    let wires = [Wire::to(shared_postgres().port()).await, Wire::to(redis.port()).await];
    let postgres = PostgresBus::builder(&url_at(wires[0].port, database.rsplit('/').next().unwrap()));
    let postgres = postgres.keepalive(keepalive).response_timeout(patience).build().unwrap();
    let redis_bus = RedisBus::builder([redis_url_at(wires[1].port)]);
    let redis_bus = redis_bus.keepalive(keepalive).response_timeout(patience).connect_timeout(patience);
    let buses: [Box<dyn Bus>; 2] = [Box::new(postgres), Box::new(redis_bus.build().unwrap())];
    for (wire, bus) in wires.iter().zip(&buses) {
        // On a busy machine it may take more than one attempt.
        let mut ear = None;
        while ear.is_none() {
            ear = bus.listen(vec![topic("a")]).await.ok();
        }
        let mut ear = ear.unwrap();
        wire.set(Mood::Hangs);
        assert!(timeout(PATIENCE, ear.next()).await.expect("it waits for ever").is_err());
        assert!(timeout(PATIENCE, bus.publish(vec![post("a", "x")])).await.expect("it waits for ever").is_err());
        assert!(timeout(PATIENCE, bus.listen(vec![topic("a")])).await.expect("it waits for ever").is_err());
    }
    let nobody = free_port();
    let buses: [Box<dyn Bus>; 2] = [
        Box::new(PostgresBus::builder(&url_at(nobody, "oauth")).build().unwrap()),
        Box::new(RedisBus::builder([redis_url_at(nobody)]).build().unwrap()),
    ];
    for bus in buses {
        let Err(error) = bus.listen(vec![topic("a")]).await else { panic!("{bus:?}") };
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        assert!(bus.publish(vec![post("a", "x")]).await.is_err());
    }
}

#[tokio::test]
async fn a_pooler_without_listen_is_found_out() {
    let database = new_database().await;
    let bouncer = PgBouncer::start(shared_postgres());
    let url = url_at(bouncer.port, database.rsplit('/').next().unwrap());
    let bus = PostgresBus::builder(&url).response_timeout(Duration::from_secs(2)).build().unwrap();
    let Err(error) = bus.listen(vec![topic("a")]).await else { panic!("nothing would ever be heard") };
    assert!(error.to_string().contains("does a pooler stand in between"), "{error}");
}

#[tokio::test]
async fn a_role_that_can_only_connect_is_enough_on_postgresql() {
    let url = new_database().await;
    let admin = raw(&url).await;
    let database = url.rsplit('/').next().unwrap();
    let role = format!("api_{database}");
    let sql = format!(
        "CREATE ROLE {role} LOGIN PASSWORD 'secret'; REVOKE ALL ON SCHEMA public FROM PUBLIC;
         REVOKE ALL ON DATABASE {database} FROM PUBLIC; GRANT CONNECT ON DATABASE {database} TO {role}"
    );
    admin.batch_execute(&sql).await.unwrap();
    let own = url.replace(&format!("oauth:{DATABASE_PASSWORD}"), &format!("{role}:secret"));
    let bus = patient_postgres(&own).build().unwrap();
    let mut ear = bus.listen(vec![topic("a")]).await.unwrap();
    patient_postgres(&url).build().unwrap().publish(vec![post("a", "x")]).await.unwrap();
    assert_eq!(heard(&mut ear).await, Heard::Message(post("a", "x")));
}

#[tokio::test]
async fn a_user_with_one_channel_is_enough_on_redis() {
    let server = Redis::start("");
    let channel = format!("&oauth:revocations:{}", topic("a"));
    let rules = ["on", ">secret", "resetchannels", &channel, "+subscribe", "+ping", "+hello", "+auth"];
    assert_eq!(server.say(&[&["ACL", "SETUSER", "api"], &rules[..]].concat()), "+OK");
    let own = format!("redis://api:secret@127.0.0.1:{}", server.port());
    let bus = super::patient_redis_bus([own]).keepalive(Duration::from_millis(1)).build().unwrap();
    let mut ear = bus.listen(vec![topic("a")]).await.unwrap();
    let silence = timeout(Duration::from_millis(50), ear.next()).await;
    assert!(silence.is_err(), "it may ask whether the server is there: {silence:?}");
    super::patient_redis_bus([server.url()]).build().unwrap().publish(vec![post("a", "x")]).await.unwrap();
    assert_eq!(heard(&mut ear).await, Heard::Message(post("a", "x")));
    assert!(bus.listen(vec![topic("b")]).await.is_err(), "another's");
    assert!(bus.publish(vec![post("a", "x")]).await.is_err());
}

#[tokio::test]
async fn a_subscription_that_is_dropped_leaves_nothing_behind() {
    on_every_bus(async |place: &Place| {
        let bus = place.bus(0, LONG);
        let ear = bus.listen(vec![topic("a")]).await.unwrap();
        place.until_listeners(1).await;
        drop(ear);
        place.until_listeners(0).await;
        // Nor does one that is given up halfway.
        let half = timeout(Duration::from_millis(1), bus.listen(vec![topic("a")])).await;
        drop(half);
        until("it is gone", async || place.listeners().await == 0).await;
    })
    .await;
}
