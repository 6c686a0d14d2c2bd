//! Which server leads which slots.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::select_ok;
use redis::{Pipeline, Value, cmd};
use tokio::{sync::Mutex, time::Instant};

use super::{
    connection::{Connector, Node},
    error::{Cause, Failure},
    request::Reply,
    slot::SLOTS,
    url::Address,
};

/// The servers, as far as they are known. A server that is no cluster leads
/// every slot.
pub(super) struct Topology {
    connector: Arc<Connector>,
    seeds: Vec<Arc<Node>>,
    map: RwLock<Arc<Map>>,
    /// Servers that others have named since the map was made.
    strangers: RwLock<Vec<Arc<Node>>>,
    /// Something did not go as the map says.
    stale: AtomicBool,
    asked: Mutex<Option<Instant>>,
}

#[derive(Default)]
struct Map {
    /// A place in `nodes` for each slot.
    slots: Vec<Option<usize>>,
    nodes: Vec<Arc<Node>>,
    is_cluster: bool,
}

/// Not more often than this, however many calls fail.
const PAUSE: Duration = Duration::from_millis(100);

impl Topology {
    pub(super) fn new(seeds: Vec<Address>, connector: Connector) -> Self {
        let connector = Arc::new(connector);
        let seeds = seeds.into_iter().map(|address| Node::new(address, &connector)).collect();
        Self {
            connector,
            seeds,
            map: RwLock::default(),
            strangers: RwLock::default(),
            stale: AtomicBool::new(true),
            asked: Mutex::new(None),
        }
    }

    /// The server that leads `slot`.
    pub(super) async fn leader(&self, slot: u16) -> Result<Arc<Node>, Failure> {
        if self.stale.load(Ordering::Acquire) {
            self.refresh().await?;
        }
        let map = self.map();
        let node = map.slots.get(usize::from(slot)).copied().flatten().and_then(|at| map.nodes.get(at));
        node.cloned().ok_or_else(|| {
            self.doubt();
            Failure::Unreachable(Cause::new("no server leads the slot"))
        })
    }

    /// The servers that lead, each with a slot of its own.
    pub(super) async fn leaders(&self) -> Result<Vec<(u16, Arc<Node>)>, Failure> {
        self.leader(0).await?;
        let map = self.map();
        let first = |at| (0..SLOTS).zip(&map.slots).find(|(_, leader)| **leader == Some(at)).map(|(slot, _)| slot);
        let leaders = map.nodes.iter().enumerate().filter_map(|(at, node)| Some((first(at)?, Arc::clone(node))));
        if map.slots.iter().any(Option::is_none) {
            return Err(Failure::Unreachable(Cause::new("some slots have no server")));
        }
        Ok(leaders.collect())
    }

    /// A server that another one has named.
    pub(super) fn named(&self, text: &str, by: &Node) -> Option<Arc<Node>> {
        let mut address = Address::parse(text)?;
        if address.host.is_empty() {
            address.host.clone_from(&by.address.host);
        }
        let map = self.map();
        let mut strangers = self.strangers.write().unwrap_or_else(PoisonError::into_inner);
        let known = map.nodes.iter().chain(strangers.iter()).find(|node| node.address == address);
        Some(known.cloned().unwrap_or_else(|| {
            let node = Node::new(address, &self.connector);
            strangers.push(Arc::clone(&node));
            node
        }))
    }

    /// Has the next call look at the map again.
    pub(super) fn doubt(&self) {
        self.stale.store(true, Ordering::Release);
    }

    fn map(&self) -> Arc<Map> {
        Arc::clone(&self.map.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks all servers at once, and takes what comes first. One call asks;
    /// the others wait for it.
    async fn refresh(&self) -> Result<(), Failure> {
        let mut asked = self.asked.lock().await;
        let known = self.map();
        let recent = asked.is_some_and(|asked| asked.elapsed() < PAUSE);
        if !self.stale.load(Ordering::Acquire) || (recent && !known.nodes.is_empty()) {
            return Ok(());
        }
        self.stale.store(false, Ordering::Release);
        // One server does not move; what it is was found out at first.
        if !known.nodes.is_empty() && !known.is_cluster {
            return Ok(());
        }
        let mut nodes = known.nodes.clone();
        nodes.extend(self.seeds.iter().filter(|seed| known.nodes.iter().all(|n| n.address != seed.address)).cloned());
        let answers = nodes.iter().map(|node| Box::pin(self.ask(node, &known)));
        let outcome = select_ok(answers).await;
        *asked = Some(Instant::now());
        match outcome {
            Ok((map, _)) => {
                self.strangers.write().unwrap_or_else(PoisonError::into_inner).clear();
                *self.map.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(map);
                Ok(())
            }
            Err(failure) => {
                self.doubt();
                // What was true may still be.
                if known.nodes.is_empty() { Err(failure) } else { Ok(()) }
            }
        }
    }

    async fn ask(&self, node: &Arc<Node>, known: &Map) -> Result<Map, Failure> {
        let mut pipeline = Pipeline::new();
        let mut slots = cmd("CLUSTER");
        slots.arg("SLOTS");
        pipeline.add_command(slots);
        let answer = node.send(&pipeline, 1).await?.pop().unwrap_or_default();
        match answer {
            Value::ServerError(error)
                if error.details().is_some_and(|text| text.contains("cluster support disabled")) =>
            {
                self.single(node)
            }
            Value::ServerError(error) => Err(Failure::Refused(error.into())),
            answer => self.read(answer, node, known).ok_or_else(|| {
                Failure::Unreachable(Cause::new(format!("{} does not say who leads which slot", node.address)))
            }),
        }
    }

    fn single(&self, node: &Arc<Node>) -> Result<Map, Failure> {
        if self.seeds.len() > 1 {
            return Err(Failure::Unreachable(Cause::new("several servers that are no cluster: name one of them")));
        }
        let slots = vec![Some(0); usize::from(SLOTS)];
        Ok(Map { slots, nodes: vec![Arc::clone(node)], is_cluster: false })
    }

    /// Reads `[[first, last, [host, port, ..], ..], ..]`.
    fn read(&self, answer: Value, by: &Arc<Node>, known: &Map) -> Option<Map> {
        let Value::Array(ranges) = answer else { return None };
        let mut map = Map { slots: vec![None; usize::from(SLOTS)], nodes: Vec::new(), is_cluster: true };
        let mut places: HashMap<Address, usize> = HashMap::new();
        let strangers = self.strangers.read().unwrap_or_else(PoisonError::into_inner).clone();
        for range in ranges {
            let Value::Array(range) = range else { return None };
            let mut range = range.into_iter();
            let (Value::Int(first), Value::Int(last)) = (range.next()?, range.next()?) else { return None };
            let address = leader_of(range.next()?, by)?;
            let place = *places.entry(address.clone()).or_insert_with(|| {
                let node = known.nodes.iter().chain(&strangers).chain([by]).find(|node| node.address == address);
                map.nodes.push(node.cloned().unwrap_or_else(|| Node::new(address, &self.connector)));
                map.nodes.len() - 1
            });
            let (first, last) = (usize::try_from(first).ok()?, usize::try_from(last).ok()?);
            map.slots.get_mut(first..=last)?.fill(Some(place));
        }
        (!map.nodes.is_empty()).then_some(map)
    }
}

fn leader_of(leader: Value, by: &Node) -> Option<Address> {
    let Value::Array(leader) = leader else { return None };
    let mut reply = Reply::new(Value::Array(leader), "list of servers");
    let host = reply.optional_bytes().ok()?.and_then(|host| String::from_utf8(host).ok());
    // A server that does not know its own name is where we found it.
    let host = host.filter(|host| !host.is_empty() && host != "?").unwrap_or_else(|| by.address.host.clone());
    let port = reply.integer().ok()?.try_into().ok()?;
    Some(Address { host, port })
}
