//! Connections: how many, how long, how large.

use super::{
	CONNECTION_AGE, Gateway, GatewayError, MAX_CONNECTIONS, MAX_HEAD_LEN, NODE_PATIENCE,
	REQUEST_PATIENCE, Settings, answer::Answer,
};
use dpki_client::carrier::node::NodeCarrier;
use http_body_util::Full;
use hyper::{
	Method, Request, Response,
	body::{Body, Bytes},
	server::conn::http1,
	service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, pin::pin, sync::Arc, time::Duration};
use tokio::{
	net::{TcpListener, TcpStream},
	sync::Semaphore,
	task::JoinSet,
};

/// Most header lines of a request.
const MAX_HEADERS: usize = 64;

/// After the system refused to accept a connection, most likely for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stop` is done.
pub async fn serve(settings: Settings, stop: impl Future<Output = ()>) -> Result<(), GatewayError> {
	let address = settings.listen;
	let failed = |reason| GatewayError::Listen { address, reason };
	let listener = TcpListener::bind(address).await.map_err(failed)?;
	let address = listener.local_addr().map_err(failed)?;
	let node = NodeCarrier::new(&settings.node).with_patience(NODE_PATIENCE);
	let gateway = Arc::new(Gateway::new(Box::new(node), settings.max_age));
	tracing::info!("the gateway listens on http://{address}");
	accept(listener, gateway, MAX_CONNECTIONS, stop).await;
	tracing::info!("stopping");
	Ok(())
}

pub(crate) async fn accept(
	listener: TcpListener,
	gateway: Arc<Gateway>,
	seats: usize,
	stop: impl Future<Output = ()>,
) {
	let seats = Arc::new(Semaphore::new(seats));
	let mut connections = JoinSet::new();
	let mut stop = pin!(stop);
	loop {
		let next = async {
			// Who finds no seat stays in the queue of the system, which is bounded too.
			let seat = seats.clone().acquire_owned().await.ok()?;
			match listener.accept().await {
				Ok((stream, _)) => Some((stream, seat)),
				Err(error) => {
					tracing::debug!(%error, "no connection was accepted");
					tokio::time::sleep(ACCEPT_PAUSE).await;
					None
				},
			}
		};
		tokio::select! {
			() = &mut stop => break,
			Some(_) = connections.join_next() => {},
			accepted = next => if let Some((stream, seat)) = accepted {
				let gateway = gateway.clone();
				connections.spawn(async move {
					connection(stream, gateway).await;
					drop(seat);
				});
			},
		}
	}
}

async fn connection(stream: TcpStream, gateway: Arc<Gateway>) {
	let service = service_fn(|request| respond(&gateway, request));
	let mut builder = http1::Builder::new();
	builder
		.timer(TokioTimer::new())
		.header_read_timeout(REQUEST_PATIENCE)
		.max_headers(MAX_HEADERS)
		.max_buf_size(MAX_HEAD_LEN);
	let mut serving = pin!(builder.serve_connection(TokioIo::new(stream), service));
	let ended = match tokio::time::timeout(CONNECTION_AGE, serving.as_mut()).await {
		Ok(ended) => ended,
		Err(_) => {
			serving.as_mut().graceful_shutdown();
			match tokio::time::timeout(CONNECTION_AGE, serving).await {
				Ok(ended) => ended,
				// A client that reads so slowly is cut off.
				Err(_) => return,
			}
		},
	};
	if let Err(error) = ended {
		tracing::debug!(%error, "a connection ended early");
	}
}

async fn respond<B: Body>(
	gateway: &Gateway,
	request: Request<B>,
) -> Result<Response<Full<Bytes>>, Infallible> {
	let answer = if !matches!(*request.method(), Method::GET | Method::HEAD) {
		Answer::refusal(405, "this can only be read: use GET or HEAD")
	} else if !request.body().is_end_stream() {
		Answer::refusal(400, "a question has no body: send none")
	} else {
		gateway.answer(request.uri().path(), request.uri().query()).await
	};
	Ok(answer.respond(request.headers()))
}
