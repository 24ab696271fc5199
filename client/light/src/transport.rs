//! JSON-RPC requests and subscriptions over the one text stream that smoldot has.

use futures::Stream;
use serde_json::value::RawValue;
use smoldot_light::{ChainId, Client, JsonRpcResponses, platform::DefaultPlatform};
use std::{
	collections::HashMap,
	pin::Pin,
	sync::Arc,
	task::{Context, Poll},
};
use subxt_rpcs::{
	Error, RpcClientT, UserError,
	client::{RawRpcFuture, RawRpcSubscription},
};
use tokio::sync::{mpsc, oneshot};

type Platform = Arc<DefaultPlatform>;
type Params = Option<Box<RawValue>>;

/// Notifications of one subscription that may wait for their reader. A reader that lags further behind sees its stream
/// end, instead of filling the memory of a device.
const MAX_WAITING_NOTIFICATIONS: usize = 256;

/// The sending half. The receiving half is a task that owns smoldot and ends when this is dropped.
pub(crate) struct Transport {
	task: mpsc::UnboundedSender<Message>,
}

enum Message {
	Call { method: String, params: Params, answer: oneshot::Sender<Result<Box<RawValue>, Error>> },
	Subscribe { method: String, params: Params, unsubscribe: String, started: Started },
	Unsubscribe { id: String },
}

type Started = oneshot::Sender<Result<Notifications, Error>>;

impl Transport {
	pub(crate) fn start(
		smoldot: Client<Platform>,
		chain: ChainId,
		mut responses: JsonRpcResponses<Platform>,
	) -> Self {
		let (task, mut messages) = mpsc::unbounded_channel();
		let mut exchange = Exchange::new(task.downgrade());
		let mut smoldot = smoldot;
		tokio::spawn(async move {
			loop {
				let outgoing = tokio::select! {
					message = messages.recv() => match message {
						Some(message) => exchange.send(message),
						None => break,
					},
					response = responses.next() => match response {
						Some(response) => exchange.receive(&response),
						None => break,
					},
				};
				if let Some(Outgoing { id, text }) = outgoing
					&& let Err(error) = smoldot.json_rpc_request(text, chain)
				{
					exchange.fail(id, &error.to_string());
				}
			}
			tracing::debug!("the light client stops");
		});
		Self { task }
	}
}

fn stopped() -> Error {
	Error::Client("the light client has stopped".into())
}

impl RpcClientT for Transport {
	fn request_raw<'a>(
		&'a self,
		method: &'a str,
		params: Params,
	) -> RawRpcFuture<'a, Box<RawValue>> {
		Box::pin(async move {
			let (answer, answered) = oneshot::channel();
			let message = Message::Call { method: method.into(), params, answer };
			self.task.send(message).map_err(|_| stopped())?;
			answered.await.map_err(|_| stopped())?
		})
	}

	fn subscribe_raw<'a>(
		&'a self,
		method: &'a str,
		params: Params,
		unsubscribe: &'a str,
	) -> RawRpcFuture<'a, RawRpcSubscription> {
		Box::pin(async move {
			let (started, starts) = oneshot::channel();
			let (method, unsubscribe) = (method.into(), unsubscribe.into());
			let message = Message::Subscribe { method, params, unsubscribe, started };
			self.task.send(message).map_err(|_| stopped())?;
			let notifications = starts.await.map_err(|_| stopped())??;
			let id = Some(notifications.id.clone());
			Ok(RawRpcSubscription { stream: Box::pin(notifications), id })
		})
	}
}

/// The notifications of one subscription, which ends when this is dropped.
struct Notifications {
	id: String,
	receiver: mpsc::Receiver<Box<RawValue>>,
	// Weak, so that a forgotten stream does not keep smoldot alive.
	task: mpsc::WeakUnboundedSender<Message>,
}

impl Stream for Notifications {
	type Item = Result<Box<RawValue>, Error>;

	fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
		self.receiver.poll_recv(context).map(|notification| notification.map(Ok))
	}
}

impl Drop for Notifications {
	fn drop(&mut self) {
		if let Some(task) = self.task.upgrade() {
			// If the task has ended, so has the subscription.
			let _ = task.send(Message::Unsubscribe { id: std::mem::take(&mut self.id) });
		}
	}
}

/// Which request waits for which answer, and which subscription has which reader. Without I/O.
struct Exchange {
	last_id: u64,
	waiting: HashMap<u64, Waiting>,
	active: HashMap<String, Active>,
	task: mpsc::WeakUnboundedSender<Message>,
}

enum Waiting {
	Call(oneshot::Sender<Result<Box<RawValue>, Error>>),
	Subscribe {
		unsubscribe: String,
		started: Started,
	},
	/// Of an unsubscription: nobody wants the answer.
	Nobody,
}

struct Active {
	unsubscribe: String,
	sender: mpsc::Sender<Box<RawValue>>,
}

struct Outgoing {
	id: u64,
	text: String,
}

/// A response or a notification.
#[derive(serde::Deserialize)]
struct Incoming<'a> {
	id: Option<u64>,
	// A `null` reads as `None` here, and `None` is handed on as `null`.
	#[serde(borrow)]
	result: Option<&'a RawValue>,
	error: Option<UserError>,
	#[serde(borrow)]
	params: Option<NotificationParams<'a>>,
}

#[derive(serde::Deserialize)]
struct NotificationParams<'a> {
	subscription: String,
	#[serde(borrow)]
	result: &'a RawValue,
}

impl Exchange {
	fn new(task: mpsc::WeakUnboundedSender<Message>) -> Self {
		Self { last_id: 0, waiting: HashMap::new(), active: HashMap::new(), task }
	}

	fn send(&mut self, message: Message) -> Option<Outgoing> {
		match message {
			Message::Call { method, params, answer } => {
				Some(self.request(&method, params.as_deref(), Waiting::Call(answer)))
			},
			Message::Subscribe { method, params, unsubscribe, started } => {
				let waiting = Waiting::Subscribe { unsubscribe, started };
				Some(self.request(&method, params.as_deref(), waiting))
			},
			Message::Unsubscribe { id } => self.unsubscribe(&id),
		}
	}

	fn receive(&mut self, text: &str) -> Option<Outgoing> {
		let incoming: Incoming = match serde_json::from_str(text) {
			Ok(incoming) => incoming,
			Err(error) => {
				tracing::warn!(%error, "the light client said something that is no JSON-RPC");
				return None;
			},
		};
		match incoming {
			Incoming { id: Some(id), result, error, .. } => {
				let answer = match error {
					Some(error) => Err(Error::User(error)),
					None => Ok(result.unwrap_or(RawValue::NULL).to_owned()),
				};
				self.answer(id, answer)
			},
			Incoming { params: Some(params), .. } => self.notify(params),
			_ => None,
		}
	}

	fn fail(&mut self, id: u64, reason: &str) {
		let answer = Err(Error::Client(reason.to_owned().into()));
		let follow_up = self.answer(id, answer);
		debug_assert!(follow_up.is_none(), "a failure starts no subscription");
	}

	fn request(&mut self, method: &str, params: Option<&RawValue>, waiting: Waiting) -> Outgoing {
		self.last_id += 1;
		let id = self.last_id;
		self.waiting.insert(id, waiting);
		let params = params.map_or("[]", RawValue::get);
		let text =
			format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#);
		Outgoing { id, text }
	}

	fn answer(&mut self, id: u64, answer: Result<Box<RawValue>, Error>) -> Option<Outgoing> {
		match self.waiting.remove(&id)? {
			Waiting::Call(caller) => {
				// The caller may have gone.
				let _ = caller.send(answer);
				None
			},
			Waiting::Subscribe { unsubscribe, started } => {
				let subscription = answer.and_then(|id| {
					serde_json::from_str::<String>(id.get()).map_err(Error::Deserialization)
				});
				let id = match subscription {
					Ok(id) => id,
					Err(error) => {
						let _ = started.send(Err(error));
						return None;
					},
				};
				let (sender, receiver) = mpsc::channel(MAX_WAITING_NOTIFICATIONS);
				self.active.insert(id.clone(), Active { unsubscribe, sender });
				// If the subscriber has gone, the stream is dropped here, and unsubscribes as ever.
				let task = self.task.clone();
				let _ = started.send(Ok(Notifications { id, receiver, task }));
				None
			},
			Waiting::Nobody => None,
		}
	}

	fn notify(&mut self, params: NotificationParams<'_>) -> Option<Outgoing> {
		let active = self.active.get(&params.subscription)?;
		match active.sender.try_send(params.result.to_owned()) {
			Ok(()) => None,
			Err(_) => {
				tracing::debug!(
					id = params.subscription,
					"the reader of a subscription is gone or lags"
				);
				self.unsubscribe(&params.subscription)
			},
		}
	}

	fn unsubscribe(&mut self, id: &str) -> Option<Outgoing> {
		let active = self.active.remove(id)?;
		let params = serde_json::value::to_raw_value(&[id]).ok();
		Some(self.request(&active.unsubscribe, params.as_deref(), Waiting::Nobody))
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use futures::{FutureExt, StreamExt};

	fn exchange() -> (Exchange, mpsc::UnboundedSender<Message>, mpsc::UnboundedReceiver<Message>) {
		let (task, messages) = mpsc::unbounded_channel();
		(Exchange::new(task.downgrade()), task, messages)
	}

	fn call(exchange: &mut Exchange) -> (u64, oneshot::Receiver<Result<Box<RawValue>, Error>>) {
		let (answer, answered) = oneshot::channel();
		let message = Message::Call { method: "m".into(), params: None, answer };
		(exchange.send(message).unwrap().id, answered)
	}

	fn subscribe(
		exchange: &mut Exchange,
	) -> (u64, oneshot::Receiver<Result<Notifications, Error>>) {
		let (started, starts) = oneshot::channel();
		let message = Message::Subscribe {
			method: "s".into(),
			params: None,
			unsubscribe: "u".into(),
			started,
		};
		(exchange.send(message).unwrap().id, starts)
	}

	fn notification(id: &str, number: usize) -> String {
		format!(
			r#"{{"jsonrpc":"2.0","method":"n","params":{{"subscription":"{id}","result":{number}}}}}"#
		)
	}

	#[test]
	fn answers_reach_their_callers_in_any_order() {
		let (mut exchange, _task, _messages) = exchange();
		let (first, mut first_answer) = call(&mut exchange);
		let (second, mut second_answer) = call(&mut exchange);
		exchange.receive(&format!(r#"{{"jsonrpc":"2.0","id":{second},"result":"two"}}"#));
		exchange.receive(&format!(r#"{{"jsonrpc":"2.0","id":{first},"result":null}}"#));
		assert_eq!(second_answer.try_recv().unwrap().unwrap().get(), "\"two\"");
		assert_eq!(first_answer.try_recv().unwrap().unwrap().get(), "null");
		assert!(exchange.waiting.is_empty());
	}

	#[test]
	fn an_error_keeps_its_code() {
		let (mut exchange, _task, _messages) = exchange();
		let (id, mut answer) = call(&mut exchange);
		exchange.receive(&format!(
			r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-32601,"message":"no"}}}}"#
		));
		let error = answer.try_recv().unwrap().unwrap_err();
		assert!(matches!(error, Error::User(UserError { code: -32601, .. })), "{error:?}");
	}

	#[test]
	fn notifications_right_after_the_answer_are_not_lost() {
		let (mut exchange, _task, _messages) = exchange();
		let (id, mut starts) = subscribe(&mut exchange);
		exchange.receive(&format!(r#"{{"jsonrpc":"2.0","id":{id},"result":"abc"}}"#));
		exchange.receive(&notification("abc", 1));
		exchange.receive(&notification("other", 2));
		exchange.receive(&notification("abc", 3));
		let mut stream = starts.try_recv().unwrap().unwrap();
		let mut next = || stream.next().now_or_never().flatten().unwrap().unwrap().get().to_owned();
		assert_eq!((next(), next()), ("1".to_owned(), "3".to_owned()));
	}

	#[test]
	fn a_dropped_stream_unsubscribes() {
		let (mut exchange, _task, mut messages) = exchange();
		let (id, mut starts) = subscribe(&mut exchange);
		exchange.receive(&format!(r#"{{"jsonrpc":"2.0","id":{id},"result":"abc"}}"#));
		drop(starts.try_recv().unwrap().unwrap());
		let outgoing = exchange.send(messages.try_recv().unwrap()).unwrap();
		assert!(outgoing.text.contains(r#""method":"u","params":["abc"]"#), "{}", outgoing.text);
		assert!(exchange.active.is_empty());
	}

	#[test]
	fn a_subscriber_that_left_early_unsubscribes() {
		let (mut exchange, _task, mut messages) = exchange();
		let (id, starts) = subscribe(&mut exchange);
		drop(starts);
		exchange.receive(&format!(r#"{{"jsonrpc":"2.0","id":{id},"result":"abc"}}"#));
		assert!(exchange.send(messages.try_recv().unwrap()).is_some());
	}

	#[test]
	fn a_reader_that_lags_sees_its_stream_end() {
		let (mut exchange, _task, _messages) = exchange();
		let (id, mut starts) = subscribe(&mut exchange);
		exchange.receive(&format!(r#"{{"jsonrpc":"2.0","id":{id},"result":"abc"}}"#));
		for number in 0..MAX_WAITING_NOTIFICATIONS {
			assert!(exchange.receive(&notification("abc", number)).is_none());
		}
		let outgoing = exchange.receive(&notification("abc", 0)).unwrap();
		assert!(outgoing.text.contains(r#""method":"u""#));
		let stream = starts.try_recv().unwrap().unwrap();
		assert_eq!(stream.count().now_or_never(), Some(MAX_WAITING_NOTIFICATIONS));
	}

	#[test]
	fn a_request_that_smoldot_does_not_take_fails() {
		let (mut exchange, _task, _messages) = exchange();
		let (id, mut answer) = call(&mut exchange);
		exchange.fail(id, "too many");
		assert!(answer.try_recv().unwrap().unwrap_err().to_string().contains("too many"));
	}

	#[test]
	fn what_is_no_json_is_ignored() {
		let (mut exchange, _task, _messages) = exchange();
		for text in ["", "hello", "{}", r#"{"id":99,"result":1}"#, &notification("none", 1)] {
			assert!(exchange.receive(text).is_none());
		}
	}
}
