//! Connections of several users at a time, over pipes that say who is at their other end.

use super::*;
use tokio::{
	io::DuplexStream,
	sync::{Mutex, mpsc, oneshot},
	task::JoinHandle,
};

const SHARE: Share = Share { seats: 2, refusal: ("text/plain", "you have two") };

/// One end of a connection, and who connects.
struct Pipe(DuplexStream, u32);

impl AsyncRead for Pipe {
	fn poll_read(
		mut self: std::pin::Pin<&mut Self>,
		context: &mut std::task::Context<'_>,
		buffer: &mut tokio::io::ReadBuf<'_>,
	) -> std::task::Poll<io::Result<()>> {
		std::pin::Pin::new(&mut self.0).poll_read(context, buffer)
	}
}

impl AsyncWrite for Pipe {
	fn poll_write(
		mut self: std::pin::Pin<&mut Self>,
		context: &mut std::task::Context<'_>,
		bytes: &[u8],
	) -> std::task::Poll<io::Result<usize>> {
		std::pin::Pin::new(&mut self.0).poll_write(context, bytes)
	}

	fn poll_flush(
		mut self: std::pin::Pin<&mut Self>,
		context: &mut std::task::Context<'_>,
	) -> std::task::Poll<io::Result<()>> {
		std::pin::Pin::new(&mut self.0).poll_flush(context)
	}

	fn poll_shutdown(
		mut self: std::pin::Pin<&mut Self>,
		context: &mut std::task::Context<'_>,
	) -> std::task::Poll<io::Result<()>> {
		std::pin::Pin::new(&mut self.0).poll_shutdown(context)
	}
}

struct Door(Mutex<mpsc::UnboundedReceiver<Pipe>>);

impl Listener for Door {
	type Stream = Pipe;

	async fn next(&self) -> io::Result<Pipe> {
		match self.0.lock().await.recv().await {
			Some(pipe) => Ok(pipe),
			None => std::future::pending().await,
		}
	}

	fn user(pipe: &Pipe) -> Option<u32> {
		Some(pipe.1)
	}
}

/// A server with five seats, of which a user may have two.
struct Server {
	door: mpsc::UnboundedSender<Pipe>,
	stop: oneshot::Sender<()>,
	serving: JoinHandle<()>,
}

impl Server {
	fn start() -> Self {
		let (door, pipes) = mpsc::unbounded_channel();
		let (stop, stopped) = oneshot::channel::<()>();
		let limits = Limits { seats: 5, per_user: Some(SHARE), age: Duration::from_secs(60) };
		let serving = tokio::spawn(async move {
			let stopped = async move { drop(stopped.await) };
			serve(Door(Mutex::new(pipes)), limits, stopped, |_| {
				|_: Request<Incoming>| async { answer(StatusCode::OK, "text/plain", "here".into()) }
			})
			.await;
		});
		Self { door, stop, serving }
	}

	fn connect(&self, user: u32) -> DuplexStream {
		let (ours, theirs) = tokio::io::duplex(4096);
		assert!(self.door.send(Pipe(theirs, user)).is_ok(), "it serves");
		ours
	}

	/// Asks over a connection of its own and gives the answer.
	async fn ask(&self, user: u32) -> String {
		ask(&mut self.connect(user), "close").await
	}
}

/// Asks, and gives what is said until the server ends the connection or has answered.
async fn ask(stream: &mut DuplexStream, then: &str) -> String {
	let request = format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: {then}\r\n\r\n");
	// Who is turned away may find the connection closed.
	let _ = stream.write_all(request.as_bytes()).await;
	let mut said = String::new();
	let mut buffer = [0; 512];
	while !said.ends_with("here") {
		match stream.read(&mut buffer).await.unwrap() {
			0 => break,
			read => said.push_str(std::str::from_utf8(&buffer[..read]).unwrap()),
		}
	}
	said
}

fn is_answered(said: &str) -> bool {
	said.starts_with("HTTP/1.1 200") && said.ends_with("here")
}

fn is_turned_away(said: &str) -> bool {
	said.starts_with("HTTP/1.1 429") && said.ends_with("you have two")
}

#[tokio::test]
async fn one_user_with_all_its_connections_keeps_no_other_out() {
	let server = Server::start();
	let mut kept = [server.connect(7), server.connect(7)];
	for stream in &mut kept {
		assert!(is_answered(&ask(stream, "keep-alive").await));
	}
	// More of them than there are seats, none of which says anything.
	let silent: Vec<_> = (0..10).map(|_| server.connect(7)).collect();
	assert!(is_answered(&server.ask(8).await));
	drop(silent);
	let said = server.ask(7).await;
	assert!(is_turned_away(&said), "{said}");
	// What it has goes on, and what it gives back it may take again.
	for stream in &mut kept {
		assert!(is_answered(&ask(stream, "keep-alive").await));
	}
	let [first, _second] = kept;
	drop(first);
	loop {
		let said = server.ask(7).await;
		if is_answered(&said) {
			break;
		}
		assert!(is_turned_away(&said), "{said}");
		tokio::task::yield_now().await;
	}
	server.stop.send(()).unwrap();
	server.serving.await.unwrap();
}

#[tokio::test]
async fn who_has_too_many_is_told_before_it_asks() {
	let server = Server::start();
	let mut kept = [server.connect(7), server.connect(7)];
	for stream in &mut kept {
		assert!(is_answered(&ask(stream, "keep-alive").await));
	}
	let mut said = String::new();
	server.connect(7).read_to_string(&mut said).await.unwrap();
	assert!(is_turned_away(&said), "{said}");
}

#[tokio::test]
async fn all_users_together_have_the_seats_that_there_are() {
	let server = Server::start();
	let mut kept: Vec<_> = [1, 1, 2, 2, 3].into_iter().map(|user| server.connect(user)).collect();
	for stream in &mut kept {
		assert!(is_answered(&ask(stream, "keep-alive").await));
	}
	let mut last = server.connect(4);
	let waiting = ask(&mut last, "close");
	tokio::pin!(waiting);
	assert!(futures::poll!(&mut waiting).is_pending(), "it waits for a seat");
	drop(kept.pop());
	assert!(is_answered(&waiting.await));
}

#[test]
fn a_seat_is_given_back_when_it_is_dropped() {
	let taken = Taken::default();
	let seats = [taken.take(Some(7), 2), taken.take(Some(7), 2)];
	assert!(seats.iter().all(Option::is_some) && taken.take(Some(7), 2).is_none());
	// Of whom nobody knows who they are there is one.
	let unknown = taken.take(None, 1);
	assert!(unknown.is_some() && taken.take(None, 1).is_none());
	drop((seats, unknown));
	assert!(taken.take(Some(7), 1).is_some());
	assert!(taken.0.lock().unwrap().is_empty(), "nothing is kept of who is gone");
}
