//! Small HTTP servers that are hard to exhaust: how many connections, how long, how large.

use http_body_util::Full;
use hyper::{
	Method, Request, Response, StatusCode,
	body::{Body, Bytes, Incoming},
	server::conn::http1,
	service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{
	collections::BTreeMap,
	convert::Infallible,
	error::Error,
	io,
	pin::pin,
	sync::{Arc, Mutex, PoisonError},
	time::Duration,
};
use tokio::{
	io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
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

/// Most connections at a time whose users are told that they have too many.
const MAX_TURNED_AWAY: usize = 16;

/// How long that may take.
const TURNING_AWAY_PATIENCE: Duration = Duration::from_secs(1);

/// Bounds of a server.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
	/// Most connections at a time. Whoever comes then waits until one ends.
	pub(crate) seats: usize,
	/// How many of them one user of this machine may have, if it is known who connects.
	pub(crate) per_user: Option<Share>,
	/// After so long a connection takes no further request, and after twice as long it is cut.
	pub(crate) age: Duration,
}

/// What one user may have.
#[derive(Clone, Copy)]
pub(crate) struct Share {
	/// Most connections at a time.
	pub(crate) seats: usize,
	/// What whoever has them already is told, whatever it asks for: the type and the text.
	pub(crate) refusal: (&'static str, &'static str),
}

/// Where connections come from.
pub(crate) trait Listener: Send + Sync + 'static {
	type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;
	fn next(&self) -> impl Future<Output = io::Result<Self::Stream>> + Send;

	/// The user who has connected, by the word of the kernel.
	fn user(_: &Self::Stream) -> Option<u32> {
		None
	}
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

	fn user(stream: &UnixStream) -> Option<u32> {
		stream.peer_cred().ok().map(|peer| peer.uid())
	}
}

/// How many seats each user has.
#[derive(Clone, Default)]
struct Taken(Arc<Mutex<BTreeMap<Option<u32>, usize>>>);

impl Taken {
	/// A seat for this user, if it has fewer than `most`.
	fn take(&self, user: Option<u32>, most: usize) -> Option<Seat> {
		let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
		let own = taken.entry(user).or_default();
		if *own >= most {
			return None;
		}
		*own += 1;
		Some(Seat { taken: self.clone(), user })
	}
}

/// A seat, until this is dropped.
struct Seat {
	taken: Taken,
	user: Option<u32>,
}

impl Drop for Seat {
	fn drop(&mut self) {
		let mut taken = self.taken.0.lock().unwrap_or_else(PoisonError::into_inner);
		if let Some(own) = taken.get_mut(&self.user) {
			*own -= 1;
			if *own == 0 {
				taken.remove(&self.user);
			}
		}
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
	let turned_away = Arc::new(Semaphore::new(MAX_TURNED_AWAY));
	let taken = Taken::default();
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
				let share = limits.per_user.map_or(usize::MAX, |share| share.seats);
				if let Some(own) = taken.take(L::user(&stream), share) {
					let respond = welcome(&stream);
					connections.spawn(async move {
						connection(stream, limits.age, respond).await;
						drop((seat, own));
					});
				} else if let (Some(share), Ok(place)) =
					(limits.per_user, turned_away.clone().try_acquire_owned())
				{
					// Who has enough seats takes none while it is told so.
					drop(seat);
					connections.spawn(async move {
						let told = turn_away(stream, share.refusal);
						let _ = tokio::time::timeout(TURNING_AWAY_PATIENCE, told).await;
						drop(place);
					});
				}
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

/// Answers before anything is asked, and waits until the client has read that: a connection that is closed with something
/// unread in it is an error for the client, which then may not look for an answer.
async fn turn_away<S: AsyncRead + AsyncWrite + Unpin>(
	mut stream: S,
	(content_type, text): (&'static str, &'static str),
) -> io::Result<()> {
	let length = text.len();
	let answer = format!(
		"HTTP/1.1 429 Too Many Requests\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\
		 cache-control: no-store\r\nconnection: close\r\n\r\n{text}"
	);
	stream.write_all(answer.as_bytes()).await?;
	stream.shutdown().await?;
	let mut unread = [0; 1024];
	let mut length = 0;
	while length <= MAX_HEAD_LEN {
		match stream.read(&mut unread).await? {
			0 => break,
			read => length += read,
		}
	}
	Ok(())
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

#[cfg(test)]
mod tests;
