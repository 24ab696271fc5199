//! Small HTTP servers that are hard to exhaust: how many connections, how long, how large.

use http_body_util::Full;
use hyper::{
	Method, Request, Response, StatusCode,
	body::{Body, Bytes, Incoming},
	server::conn::http1,
	service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, error::Error, io, pin::pin, sync::Arc, time::Duration};
use tokio::{
	io::{AsyncRead, AsyncWrite},
	net::{TcpListener, TcpStream, UnixListener, UnixStream},
	sync::Semaphore,
	task::JoinSet,
};

/// How long a client may take to send a request.
pub const REQUEST_PATIENCE: Duration = Duration::from_secs(10);

/// Longest head of a request, in bytes.
pub const MAX_HEAD_LEN: usize = 16 * 1024;

/// Most header lines of a request.
const MAX_HEADERS: usize = 64;

/// After the system refused to accept a connection, most likely for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Bounds of a server.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
	/// Most connections at a time. Whoever comes then waits until one ends.
	pub(crate) seats: usize,
	/// After so long a connection takes no further request, and after twice as long it is cut.
	pub(crate) age: Duration,
}

/// Where connections come from.
pub(crate) trait Listener: Send + Sync + 'static {
	type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;
	fn next(&self) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

impl Listener for TcpListener {
	type Stream = TcpStream;

	async fn next(&self) -> io::Result<TcpStream> {
		Ok(self.accept().await?.0)
	}
}

impl Listener for UnixListener {
	type Stream = UnixStream;

	async fn next(&self) -> io::Result<UnixStream> {
		Ok(self.accept().await?.0)
	}
}

/// Serves until `stop` is done. `welcome` makes of a connection what answers its requests.
pub(crate) async fn serve<L, W, R, F, B>(
	listener: L,
	limits: Limits,
	stop: impl Future<Output = ()>,
	welcome: W,
) where
	L: Listener,
	W: Fn(&L::Stream) -> R,
	R: Fn(Request<Incoming>) -> F + Send + Sync + 'static,
	F: Future<Output = Response<B>> + Send + 'static,
	B: Body<Data = Bytes> + Send + 'static,
	B::Error: Into<Box<dyn Error + Send + Sync>>,
{
	let seats = Arc::new(Semaphore::new(limits.seats));
	let mut connections = JoinSet::new();
	let mut stop = pin!(stop);
	loop {
		let next = async {
			// Who finds no seat stays in the queue of the system, which is bounded too.
			let seat = seats.clone().acquire_owned().await.ok()?;
			match listener.next().await {
				Ok(stream) => Some((stream, seat)),
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
				let respond = welcome(&stream);
				connections.spawn(async move {
					connection(stream, limits.age, respond).await;
					drop(seat);
				});
			},
		}
	}
}

async fn connection<S, R, F, B>(stream: S, age: Duration, respond: R)
where
	S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
	R: Fn(Request<Incoming>) -> F,
	F: Future<Output = Response<B>>,
	B: Body<Data = Bytes> + 'static,
	B::Error: Into<Box<dyn Error + Send + Sync>>,
{
	let service = service_fn(|request| {
		let responding = respond(request);
		async move { Ok::<_, Infallible>(responding.await) }
	});
	let mut builder = http1::Builder::new();
	builder
		.timer(TokioTimer::new())
		.header_read_timeout(REQUEST_PATIENCE)
		.max_headers(MAX_HEADERS)
		.max_buf_size(MAX_HEAD_LEN);
	let mut serving = pin!(builder.serve_connection(TokioIo::new(stream), service));
	let ended = match tokio::time::timeout(age, serving.as_mut()).await {
		Ok(ended) => ended,
		Err(_) => {
			serving.as_mut().graceful_shutdown();
			match tokio::time::timeout(age, serving).await {
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

/// Why a request is refused whatever it asks for: status and sentence.
pub(crate) fn refusal<B: Body>(request: &Request<B>) -> Option<(StatusCode, &'static str)> {
	if !matches!(*request.method(), Method::GET | Method::HEAD) {
		return Some((StatusCode::METHOD_NOT_ALLOWED, "this can only be read: use GET or HEAD"));
	}
	if !request.body().is_end_stream() {
		return Some((StatusCode::BAD_REQUEST, "a question has no body: send none"));
	}
	None
}

/// An answer that is there as a whole, and that nobody keeps.
pub(crate) fn answer(
	status: StatusCode,
	content_type: &'static str,
	text: String,
) -> Response<Full<Bytes>> {
	let mut response = Response::new(Full::new(text.into()));
	*response.status_mut() = status;
	let headers = response.headers_mut();
	for (name, value) in [
		("content-type", content_type),
		("cache-control", "no-store"),
		("x-content-type-options", "nosniff"),
	] {
		headers.insert(name, hyper::header::HeaderValue::from_static(value));
	}
	response
}
