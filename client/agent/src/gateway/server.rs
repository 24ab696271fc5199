//! Connections of the gateway.

use super::{
	CONNECTION_AGE, Gateway, GatewayError, MAX_CONNECTIONS, NODE_PATIENCE, Settings, answer::Answer,
};
use crate::http::{self, Limits};
use dpki_client::carrier::node::NodeCarrier;
use http_body_util::Full;
use hyper::{
	Request, Response,
	body::{Body, Bytes, Incoming},
};
use std::sync::Arc;
use tokio::net::TcpListener;

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
	let limits = Limits { seats, per_user: None, age: CONNECTION_AGE };
	http::serve(listener, limits, stop, |_| {
		let gateway = gateway.clone();
		move |request: Request<Incoming>| {
			let gateway = gateway.clone();
			async move { respond(&gateway, request).await }
		}
	})
	.await;
}

async fn respond<B: Body>(gateway: &Gateway, request: Request<B>) -> Response<Full<Bytes>> {
	let answer = match http::refusal(&request) {
		Some((status, sentence)) => Answer::refusal(status.as_u16(), sentence),
		None => gateway.answer(request.uri().path(), request.uri().query()).await,
	};
	answer.respond(request.headers())
}
