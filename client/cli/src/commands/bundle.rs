//! `dpki bundle`: proof bundles on their way to devices that reach no node, and what a device makes of them.
//!
//! A proof bundle shows that a finalised block holds some records. Nobody on its way is trusted; what is trusted is the
//! checkpoint. It is not what a delivery holds.

mod question;

use crate::{
	error::{Error, Result},
	files,
	output::{Progress, Report, hex, rfc3339},
	proven::now,
	session::Session,
	values,
};
use clap::{Args, Subcommand};
use codec::Decode;
use dpki_client::{
	Client, Head,
	carrier::{
		Carrier, CarrierError, Carriers, MAX_QUESTIONS, MAX_ROUNDS,
		file::{Contents, FileCarrier},
		mqtt::{MqttCarrier, Publisher},
		node::NodeCarrier,
	},
	client::ClientError,
};
use dpki_verifier::{AuthoritySet, Checkpoint, Freshness, Query, Verifier, Zebra};
use question::{Asked, Finding, Question};
use std::{
	path::{Path, PathBuf},
	time::Duration,
};
use subxt_rpcs::client::rpc_params;

/// How old an answer may be that comes over a network.
const MAX_AGE_ONLINE: Duration = Duration::from_secs(60);

/// How old an answer may be that is carried by hand.
const MAX_AGE_BY_HAND: Duration = Duration::from_secs(24 * 3600);

/// Proof bundles.
#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  dpki bundle checkpoint chain.checkpoint
  dpki bundle export drone-7.dpki --device acme/drone-7
  dpki bundle verify drone-7.dpki --checkpoint chain.checkpoint")]
pub enum BundleCommand {
	/// Take a checkpoint from a node that you trust: what a device believes from then on
	#[command(after_help = "\
Example:
  dpki bundle checkpoint chain.checkpoint --url wss://node.acme.example --genesis 0x6e3c..150f")]
	Checkpoint {
		/// The new file
		#[arg(value_name = "FILE")]
		out: PathBuf,
	},
	/// Write what a device without a network needs into a file
	#[command(after_help = "\
Examples:
  dpki bundle export drone-7.dpki --device acme/drone-7 --key 0x3b1c..9f
  dpki bundle export drone.dpki --certificate 0x9c01..7e")]
	Export {
		/// The file; one that is there is replaced
		#[arg(value_name = "FILE")]
		out: PathBuf,
		#[command(flatten)]
		question: Question,
		/// The checkpoint of the device; without it the file serves devices of every age
		#[arg(long, value_name = "FILE")]
		checkpoint: Option<PathBuf>,
	},
	/// Verify such a file, as a device does; no chain is needed
	#[command(after_help = "\
Without a question, what the file itself is about is told. The checkpoint file moves on to the
block of the bundle, so that nothing older is believed any more.

Exit codes: 0 everything that is proven is valid; 3 something is not; 1 nothing is proven.

Examples:
  dpki bundle verify drone-7.dpki --checkpoint chain.checkpoint
  dpki bundle verify drone-7.dpki --checkpoint chain.checkpoint --device acme/drone-7 \\
      --max-age 1h")]
	Verify {
		/// The file
		#[arg(value_name = "FILE")]
		file: PathBuf,
		#[command(flatten)]
		question: Question,
		#[command(flatten)]
		standing: Standing,
	},
	/// Get a bundle from the first of several carriers whose bundle is proven, and tell what it proves
	#[command(after_help = "\
A carrier is http://HOST:PORT, mqtt://HOST:PORT, ws://HOST:PORT or file:PATH. None of them is
trusted.

Exit codes: 0 everything that is proven is valid; 3 something is not; 1 nothing is proven.

Example:
  dpki bundle fetch --from https://pki.acme.example --from mqtt://broker.local:1883 \\
    --checkpoint chain.checkpoint --device acme/drone-7")]
	Fetch {
		/// A carrier; may be repeated, and is asked in this order
		#[arg(long, value_name = "ADDRESS", required = true)]
		from: Vec<String>,
		#[command(flatten)]
		question: Question,
		#[command(flatten)]
		standing: Standing,
		/// A file for what was proven; one that is there is replaced
		#[arg(long, value_name = "FILE")]
		out: Option<PathBuf>,
	},
	/// Leave a bundle with an MQTT broker, as a retained message
	#[command(after_help = "\
The topics are told in docs/carriers.md. Devices ask with the same question, or find nothing.

Examples:
  dpki bundle publish --mqtt mqtt://broker.local:1883 --device acme/drone-7
  dpki bundle publish --mqtt mqtt://127.0.0.1:1883 --device acme/drone-7 --every 10s")]
	Publish {
		/// The broker: mqtt://HOST:PORT, or mqtt://USER:PASSWORD@HOST:PORT
		#[arg(long, value_name = "ADDRESS", env = "DPKI_MQTT", hide_env_values = true)]
		mqtt: String,
		#[command(flatten)]
		question: Question,
		/// Publish again and again, until it is interrupted
		#[arg(long, value_name = "SPAN", value_parser = values::duration)]
		every: Option<Duration>,
	},
}

/// Where a device stands, and how old an answer may be.
#[derive(Args)]
pub struct Standing {
	/// What is trusted; moves on to the block that was proven
	#[arg(long, value_name = "FILE")]
	checkpoint: PathBuf,
	/// Leave the checkpoint where it is: then an older bundle is believed again
	#[arg(long)]
	keep_checkpoint: bool,
	/// How old the block may be by this computer's clock; 60s over a network, 24h from a file if left out
	#[arg(long, value_name = "SPAN", value_parser = values::duration)]
	max_age: Option<Duration>,
	/// Do not look at the clock: then what was revoked long ago may pass for valid
	#[arg(long, conflicts_with = "max_age")]
	no_clock: bool,
}

impl BundleCommand {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		match self {
			Self::Checkpoint { out } => take_checkpoint(session, &out).await,
			Self::Export { out, question, checkpoint } => {
				export(session, &out, &question, checkpoint.as_deref()).await
			},
			Self::Verify { file, question, standing } => verify(&file, &question, &standing).await,
			Self::Fetch { from, question, standing, out } => {
				let carriers = question.to(Carriers::parse(from)?);
				let asked = question.asked(None);
				judge(&carriers, &asked, &standing, MAX_AGE_ONLINE, out.as_deref()).await
			},
			Self::Publish { mqtt, question, every } => {
				publish(session, &mqtt, &question, every).await
			},
		}
	}
}

async fn take_checkpoint(session: &Session, out: &Path) -> Result<Report> {
	files::refuse_existing(&[out])?;
	let (client, view) = session.view().await?;
	let checkpoint = checkpoint_at(&client, view.head()).await?;
	files::write_public(out, &checkpoint.encode())?;
	Ok(told(Report::new().done("Checkpoint taken"), &checkpoint)
		.row("file", out.display())
		.tail("Compare the digest with somebody who asked another node."))
}

/// What a node says that is to be believed from this block on.
pub async fn checkpoint_at(client: &Client, head: Head) -> Result<Checkpoint> {
	let authorities: Vec<([u8; 32], u64)> =
		call(client, "GrandpaApi_grandpa_authorities", head.hash).await?;
	let id: u64 = call(client, "GrandpaApi_current_set_id", head.hash).await?;
	let set = AuthoritySet::new(id, authorities.into_iter().map(|(key, _)| key).collect())?;
	let genesis = client.genesis_hash();
	Ok(Checkpoint { genesis, set, number: head.number, hash: head.hash })
}

/// What a call of the runtime answers at a block.
async fn call<T: Decode>(client: &Client, name: &str, at: [u8; 32]) -> Result<T> {
	let malformed =
		|reason: &str| ClientError::Malformed { method: name.into(), reason: reason.into() };
	let answer: String = client
		.rpc()
		.request("state_call", rpc_params![name, "0x", hex(&at)])
		.await
		.map_err(|error| ClientError::Request { method: name.into(), reason: error.to_string() })?;
	let bytes = hex::decode(answer.trim_start_matches("0x"))
		.map_err(|_| malformed("it is not in hexadecimal digits"))?;
	Ok(T::decode(&mut &*bytes).map_err(|_| malformed("it is of another type"))?)
}

fn told(report: Report, checkpoint: &Checkpoint) -> Report {
	report
		.row("genesis_hash", hex(&checkpoint.genesis))
		.row_as("block", checkpoint.number.to_string(), checkpoint.number)
		.row("block_hash", hex(&checkpoint.hash))
		.row_as("authority_set", checkpoint.set.id().to_string(), checkpoint.set.id())
		.row_as(
			"authorities",
			checkpoint.set.authorities().len().to_string(),
			checkpoint.set.authorities().len(),
		)
		.row("checkpoint_digest", hex(&checkpoint.digest()))
}

async fn export(
	session: &Session,
	out: &Path,
	question: &Question,
	checkpoint: Option<&Path>,
) -> Result<Report> {
	let checkpoint = checkpoint.map(read_checkpoint).transpose()?;
	let (node, genesis) = node(session).await?;
	if checkpoint.as_ref().is_some_and(|it| it.genesis != genesis) {
		return Err(CarrierError::OtherChain { carrier: node.name() }.into());
	}
	let (mut query, from) = (question.query(), checkpoint.map(|it| it.hash));
	let (mut contents, mut number) = gather(&node, genesis, &query, from).await?;
	// What a certificate depends on stands in the records that the first question brings.
	for _ in 1..MAX_QUESTIONS {
		let Some(next) = query.next_in(&contents.bundle)? else { break };
		query = next;
		(contents, number) = gather(&node, genesis, &query, from).await?;
	}
	let bytes = contents.encode();
	files::replace_public(out, &bytes)?;
	Ok(Report::new()
		.done("Proof bundle written")
		.row("file", out.display())
		.row_as("block", number.to_string(), number)
		.row_as("keys", contents.keys.len().to_string(), contents.keys.len())
		.row_as("bytes", bytes.len().to_string(), bytes.len()))
}

/// A bundle with the changes of the authority set that do not fit into it, and the block that it is about.
async fn gather(
	node: &NodeCarrier,
	genesis: [u8; 32],
	query: &Query,
	mut from: Option<[u8; 32]>,
) -> Result<(Contents, u32)> {
	let mut lists = Vec::new();
	loop {
		match node.serve(query.keys(), from).await {
			Ok(served) => {
				let contents = Contents::new(genesis, query, lists, served.bundle);
				return Ok((contents, served.number));
			},
			Err(CarrierError::Behind { .. }) if lists.len() < MAX_ROUNDS as usize => {
				let changes = node.serve_changes(from).await?;
				from = Some(changes.last);
				lists.push(changes.fragments);
			},
			Err(error) => return Err(error.into()),
		}
	}
}

async fn node(session: &Session) -> Result<(NodeCarrier, [u8; 32])> {
	let client = session.connect().await?;
	let genesis = client.genesis_hash();
	Ok((NodeCarrier::connected(session.url(), client.rpc().clone()), genesis))
}

async fn verify(file: &Path, question: &Question, standing: &Standing) -> Result<Report> {
	files::require(file)?;
	let carrier = FileCarrier::new(file);
	let asked = question.asked(Some(&carrier.contents().await?));
	let carriers = question.to(Carriers::new(vec![Box::new(carrier)]));
	judge(&carriers, &asked, standing, MAX_AGE_BY_HAND, None).await
}

async fn judge(
	carriers: &Carriers,
	asked: &Asked,
	standing: &Standing,
	max_age: Duration,
	out: Option<&Path>,
) -> Result<Report> {
	let stored = read_checkpoint(&standing.checkpoint)?;
	let freshness = match standing.no_clock {
		true => Freshness::without_clock(),
		false => Freshness::at_most(standing.max_age.unwrap_or(max_age), now()),
	};
	let mut verifier = Verifier::new(stored, Zebra);
	let answer = {
		let _progress = Progress::start("asking for a proof bundle");
		carriers
			.ask(&mut verifier, &asked.query, freshness, |verified| {
				question::findings(verified, asked)
			})
			.await?
	};
	let (findings, time) = answer.value?;
	let checkpoint = verifier.checkpoint();
	// Before anything is told: what was told must never be taken back by an older bundle.
	if !standing.keep_checkpoint {
		files::replace_public(&standing.checkpoint, &checkpoint.encode())?;
	}
	if let Some(out) = out {
		let (genesis, bundle) = (checkpoint.genesis, answer.bundle.clone());
		let contents = Contents::new(genesis, &answer.query, Vec::new(), bundle);
		files::replace_public(out, &contents.encode())?;
	}
	let report = answer.failures.iter().fold(Report::new(), |report, failure| {
		report.warn(format!("a carrier did not help: {failure}"))
	});
	Ok(told(tell(report, &findings), checkpoint)
		.row("chain_time", rfc3339(time))
		.row("carrier", answer.carrier)
		.row_as("bytes", answer.bundle.len().to_string(), answer.bundle.len()))
}

/// One verdict about all that was asked.
fn tell(report: Report, findings: &[Finding]) -> Report {
	let judged: Vec<_> = findings.iter().filter_map(Finding::is_good).collect();
	let report = match judged.iter().filter(|is_good| !**is_good).count() {
		_ if judged.is_empty() => report.done("Proven"),
		0 => report.verdict(true, "proven and valid"),
		bad => {
			let is_low = findings.iter().any(Finding::is_too_low);
			let how = if is_low { "not valid at that level" } else { "not valid" };
			report.verdict(false, format!("proven, and {bad} of {} {how}", judged.len()))
		},
	};
	let records: Vec<_> = findings.iter().map(Finding::to_json).collect();
	let report = report.data("records", records);
	findings.iter().fold(report, |report, finding| report.tail(finding.to_string()))
}

async fn publish(
	session: &Session,
	mqtt: &str,
	question: &Question,
	every: Option<Duration>,
) -> Result<Report> {
	let broker = MqttCarrier::new(mqtt)?;
	let (node, _) = node(session).await?;
	let query = question.query();
	let mut publisher = Publisher::new(&node, &broker).await?;
	let mut published = publisher.publish(&query).await?;
	if let Some(every) = every {
		let mut interrupted = std::pin::pin!(tokio::signal::ctrl_c());
		loop {
			let publishing = async {
				tokio::time::sleep(every).await;
				publisher.publish(&query).await
			};
			tokio::select! {
				_ = &mut interrupted => break,
				newer = publishing => match newer {
					Ok(newer) => published = newer,
					// What is published stays; the next attempt may succeed.
					Err(error) => session.warn(&error.to_string()),
				},
			}
		}
	}
	Ok(Report::new()
		.done("Proof bundle published")
		.row("broker", broker.name())
		.row("topic", published.topic)
		.row_as("block", published.number.to_string(), published.number)
		.row("block_hash", hex(&published.hash))
		.row_as("bytes", published.len.to_string(), published.len)
		.row_as("lists_of_changes", published.lists.to_string(), published.lists))
}

/// The checkpoint in a file.
pub fn read_checkpoint(path: &Path) -> Result<Checkpoint> {
	let wrong = || Error::WrongFile { path: path.into(), expected: "a checkpoint".into() };
	Checkpoint::decode(&files::read(path)?).map_err(|_| wrong())
}
