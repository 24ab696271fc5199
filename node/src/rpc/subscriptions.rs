// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Serves subscribers, each by a [`Cursor`] of its own.
//!
//! A subscriber that reads slowly holds up itself alone: nothing is queued for it but what the connection buffers, and its
//! cursor waits. If it waits for so long that its next block is pruned, it is told so and the subscription ends.

use super::{
	cursor::Cursor,
	error::Refusal,
	events::{BlockEvents, Events},
	limits::{BLOCKS_PER_READ, MAX_SUBSCRIPTIONS, MAX_SUBSCRIPTIONS_PER_CONNECTION},
};
use crate::service::FullClient;
use dpki_runtime::BlockNumber;
use futures::StreamExt;
use jsonrpsee::{
	IntoSubscriptionCloseResponse, PendingSubscriptionSink, SubscriptionCloseResponse,
	SubscriptionMessage, types::ErrorObjectOwned,
};
use parking_lot::Mutex;
use sc_client_api::BlockchainEvents;
use serde::Serialize;
use sp_blockchain::HeaderBackend;
use std::{collections::HashMap, sync::Arc};
use tokio::sync::watch;

/// How a subscription ended.
#[derive(Debug)]
pub enum Ended {
	/// The client has ended it, or was told why it never began.
	Quietly,
	/// The node ends it; the client is told why in a last notification.
	Because(Refusal),
}

impl IntoSubscriptionCloseResponse for Ended {
	fn into_response(self) -> SubscriptionCloseResponse {
		let Self::Because(refusal) = self else { return SubscriptionCloseResponse::None };
		match SubscriptionMessage::from_json(&ErrorObjectOwned::from(refusal)) {
			Ok(message) => SubscriptionCloseResponse::NotifErr(message),
			Err(_) => SubscriptionCloseResponse::None,
		}
	}
}

/// Keeps the number of the newest finalised block up to date, until the node ends.
///
/// One task does it for all subscribers: each notification pins its block, which no slow subscriber should do.
pub async fn track_finality(client: Arc<FullClient>, finalized: watch::Sender<BlockNumber>) {
	// Before the number is read, so that no block falls in between.
	let mut notifications = client.finality_notification_stream();
	finalized.send_replace(client.info().finalized_number);
	while notifications.next().await.is_some() {
		finalized.send_replace(client.info().finalized_number);
	}
}

/// Serves subscribers.
pub struct Subscriptions {
	events: Arc<Events>,
	finalized: watch::Receiver<BlockNumber>,
	seats: Arc<Seats>,
}

impl Subscriptions {
	/// Tells what these events are, up to this finalised block.
	pub fn new(events: Arc<Events>, finalized: watch::Receiver<BlockNumber>) -> Self {
		Self { events, finalized, seats: Arc::default() }
	}

	/// Serves one subscriber until its end. `tell` makes the notification about a block, and says whether anything in it
	/// concerns the subscriber.
	pub async fn serve<N: Serialize + Send + 'static>(
		&self,
		pending: PendingSubscriptionSink,
		since: Option<BlockNumber>,
		tell: impl Fn(&BlockEvents) -> (bool, N) + Clone + Send + 'static,
	) -> Ended {
		let mut finalized = self.finalized.clone();
		let newest = *finalized.borrow_and_update();
		let begun = self.seats.take(pending.connection_id().0).and_then(|seat| {
			let cursor = Cursor::new(since, newest)?;
			Ok((seat, cursor))
		});
		let (_seat, cursor) = match begun {
			Ok(begun) => begun,
			Err(refusal) => {
				pending.reject(refusal).await;
				return Ended::Quietly;
			},
		};
		// Read before the subscription is accepted: one that cannot begin is refused, not begun and ended.
		let mut read = self.read(cursor, newest, tell.clone()).await;
		if let (true, Some(refusal)) = (read.told.is_empty(), &read.refusal) {
			pending.reject(refusal.clone()).await;
			return Ended::Quietly;
		}
		let Ok(sink) = pending.accept().await else { return Ended::Quietly };
		loop {
			for notification in read.told {
				let message = match SubscriptionMessage::from_json(&notification) {
					Ok(message) => message,
					Err(error) => return Ended::Because(Refusal::internal(error)),
				};
				if sink.send(message).await.is_err() {
					return Ended::Quietly;
				}
			}
			if let Some(refusal) = read.refusal {
				return Ended::Because(refusal);
			}
			let mut newest = *finalized.borrow_and_update();
			while read.cursor.due(newest).is_none() {
				tokio::select! {
					changed = finalized.changed() => if changed.is_err() { return Ended::Quietly },
					() = sink.closed() => return Ended::Quietly,
				}
				newest = *finalized.borrow_and_update();
			}
			if sink.is_closed() {
				return Ended::Quietly;
			}
			read = self.read(read.cursor, newest, tell.clone()).await;
		}
	}

	/// Reads the next blocks, where reading may take its time.
	async fn read<N: Send + 'static>(
		&self,
		cursor: Cursor,
		newest: BlockNumber,
		tell: impl Fn(&BlockEvents) -> (bool, N) + Send + 'static,
	) -> Read<N> {
		let (events, begin) = (self.events.clone(), cursor.clone());
		let reading = move || Read::new(begin, newest, |number| events.read(number), tell);
		tokio::task::spawn_blocking(reading).await.unwrap_or_else(|error| Read {
			cursor,
			told: Vec::new(),
			refusal: Some(Refusal::internal(error)),
		})
	}
}

/// Some blocks that were read.
struct Read<N> {
	/// Where the subscriber stands after them.
	cursor: Cursor,
	/// What it is told.
	told: Vec<N>,
	/// Why it cannot go on.
	refusal: Option<Refusal>,
}

impl<N> Read<N> {
	fn new(
		mut cursor: Cursor,
		newest: BlockNumber,
		read: impl Fn(BlockNumber) -> Result<Arc<BlockEvents>, Refusal>,
		tell: impl Fn(&BlockEvents) -> (bool, N),
	) -> Self {
		let mut told = Vec::new();
		for _ in 0..BLOCKS_PER_READ {
			let Some(number) = cursor.due(newest) else { break };
			let block = match read(number) {
				Ok(block) => block,
				Err(refusal) => return Self { cursor, told, refusal: Some(refusal) },
			};
			let (concerns, notification) = tell(&block);
			if cursor.pass(concerns) {
				told.push(notification);
			}
		}
		Self { cursor, told, refusal: None }
	}
}

/// Who is subscribed: how many subscriptions each connection has.
#[derive(Default)]
struct Seats(Mutex<HashMap<usize, usize>>);

impl Seats {
	fn take(self: &Arc<Self>, connection: usize) -> Result<Seat, Refusal> {
		let mut taken = self.0.lock();
		if taken.values().sum::<usize>() >= MAX_SUBSCRIPTIONS {
			let allowed = MAX_SUBSCRIPTIONS;
			return Err(Refusal::TooManySubscriptions { allowed, place: "node" });
		}
		let own = taken.entry(connection).or_default();
		if *own >= MAX_SUBSCRIPTIONS_PER_CONNECTION {
			let allowed = MAX_SUBSCRIPTIONS_PER_CONNECTION;
			return Err(Refusal::TooManySubscriptions { allowed, place: "connection" });
		}
		*own += 1;
		Ok(Seat { seats: self.clone(), connection })
	}
}

/// The right to one subscription, given back when it is dropped.
struct Seat {
	seats: Arc<Seats>,
	connection: usize,
}

impl Drop for Seat {
	fn drop(&mut self) {
		let mut taken = self.seats.0.lock();
		if let Some(own) = taken.get_mut(&self.connection) {
			*own -= 1;
			if *own == 0 {
				taken.remove(&self.connection);
			}
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn block(number: BlockNumber) -> Arc<BlockEvents> {
		Arc::new(BlockEvents {
			number,
			hash: Default::default(),
			revocations: Vec::new(),
			deliveries: Vec::new(),
		})
	}

	#[test]
	fn what_was_read_before_a_pruned_block_is_told_before_the_end() {
		let pruned = Refusal::Pruned { asked: 7, oldest: 9 };
		let cursor = Cursor::new(Some(5), 20).unwrap();
		let source = |number| if number == 7 { Err(pruned.clone()) } else { Ok(block(number)) };
		let read = Read::new(cursor, 20, source, |block| (true, block.number));
		assert_eq!((read.told, read.refusal), (vec![5, 6], Some(pruned)));
	}

	#[test]
	fn a_long_replay_is_read_in_pieces() {
		let mut read =
			Read { cursor: Cursor::new(Some(1), 100).unwrap(), told: Vec::new(), refusal: None };
		let (mut all, mut pieces) = (Vec::new(), 0);
		while read.cursor.due(100).is_some() {
			read = Read::new(read.cursor, 100, |n| Ok(block(n)), |block| (true, block.number));
			assert!(read.told.len() <= BLOCKS_PER_READ);
			all.append(&mut read.told);
			pieces += 1;
		}
		assert_eq!((all, pieces), ((1..=100).collect(), 100usize.div_ceil(BLOCKS_PER_READ)));
	}

	#[test]
	fn a_connection_has_so_many_seats_and_gets_them_back() {
		let seats = Arc::<Seats>::default();
		let mut taken: Vec<_> =
			(0..MAX_SUBSCRIPTIONS_PER_CONNECTION).map(|_| seats.take(1).unwrap()).collect();
		let allowed = MAX_SUBSCRIPTIONS_PER_CONNECTION;
		let refused = Refusal::TooManySubscriptions { allowed, place: "connection" };
		assert_eq!(seats.take(1).err(), Some(refused));
		let _other = seats.take(2).unwrap();
		taken.pop();
		taken.push(seats.take(1).unwrap());
		taken.clear();
		assert_eq!(seats.0.lock().len(), 1);
	}

	#[test]
	fn all_connections_together_have_so_many_seats() {
		let seats = Arc::<Seats>::default();
		let connections = MAX_SUBSCRIPTIONS / MAX_SUBSCRIPTIONS_PER_CONNECTION;
		let taken: Vec<_> = (0..connections)
			.flat_map(|connection| vec![connection; MAX_SUBSCRIPTIONS_PER_CONNECTION])
			.map(|connection| seats.take(connection).unwrap())
			.collect();
		let refused = Refusal::TooManySubscriptions { allowed: taken.len(), place: "node" };
		assert_eq!(seats.take(usize::MAX).err(), Some(refused));
	}
}
