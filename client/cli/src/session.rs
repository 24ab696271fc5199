//! What the commands that talk to the chain have in common: the node, the account, and the way of a transaction.

use crate::{
	cli::Global,
	commands::multisig::Group,
	error::{Error, Result},
	output::{Progress, Report, hex, print_warning},
	proven::{Trust, Witness},
	secrets, transaction,
	values::{GenesisHash, Member},
};
use dpki_client::{
	Account, AccountId, Call, Client, Finalized, Head, Included, SubmitError, View, calls,
	client::ClientError,
};
use std::{net::IpAddr, sync::OnceLock, time::Duration};
use tokio::{sync::Mutex, time::timeout};

/// A node that has not told its chain by then is taken for absent. Shorter than what the client allows itself, which is
/// right for a daemon and long for a person who mistyped an address.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A finalised block is at most seconds away on a chain that is alive; reads take milliseconds.
pub const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// A finalised block that lies so many blocks behind the newest one, or more, is the last for now. On a chain that is alive it
/// is one or two.
const STANDSTILL: u32 = 32;

/// The node and the account that a command was given.
pub struct Session {
	url: String,
	account: Option<String>,
	genesis: Option<GenesisHash>,
	tip: u128,
	on_behalf_of: Option<AccountId>,
	as_multi: Option<Group>,
	as_json: bool,
	/// Whether it goes by blocks that are not final.
	unfinalised: bool,
	/// From where the command has the node prove what it says, if it does.
	trust: OnceLock<Trust>,
	/// Who says what became of transactions; nobody before the first one.
	witness: Mutex<Option<Witness>>,
}

impl Session {
	/// From the global options.
	pub fn new(global: Global) -> Self {
		Self {
			url: global.url,
			account: global.account,
			genesis: global.genesis,
			tip: global.tip,
			on_behalf_of: global.on_behalf_of.map(|Member(account)| account),
			as_multi: global.as_multi,
			as_json: global.json,
			unfinalised: global.unfinalised,
			trust: OnceLock::new(),
			witness: Mutex::default(),
		}
	}

	/// The address of the node.
	pub fn url(&self) -> &str {
		&self.url
	}

	/// Whether the node is on this computer, as far as its address tells.
	pub fn is_local(&self) -> bool {
		is_loopback(&self.url)
	}

	/// Whether somebody has said which chain it has to be.
	pub fn is_pinned(&self) -> bool {
		self.genesis.is_some()
	}

	/// Tells a person what has to be known before the command goes on.
	pub fn warn(&self, sentence: &str) {
		print_warning(sentence, self.as_json);
	}

	/// Tells what was done while the command goes on. A reader that went away does not end it.
	pub fn tell(&self, report: Report) {
		let _ = report.print(self.as_json);
	}

	/// Shows of how many of `total` something is true.
	pub fn progress(&self, what: &str, total: u64) -> Progress {
		Progress::bar(what, total, self.as_json)
	}

	/// A connection to the node, whose chain is the one that was asked for.
	pub async fn connect(&self) -> Result<Client> {
		self.connect_as(false).await
	}

	/// The same for whoever may find out by other means which chain it is, and needs no warning then.
	pub async fn connect_as(&self, is_pinned: bool) -> Result<Client> {
		let client = self.reach().await?;
		let warning = judge_chain(&self.url, self.genesis, client.genesis_hash())?;
		if let Some(warning) = warning.filter(|_| !is_pinned) {
			print_warning(&warning, self.as_json);
		}
		Ok(client)
	}

	async fn reach(&self) -> Result<Client> {
		let _progress = Progress::start(format!("connecting to {}", self.url));
		let unreachable = || Error::NodeUnreachable { url: self.url.clone() };
		let connecting = timeout(CONNECT_TIMEOUT, Client::connect(&self.url));
		connecting.await.map_err(|_| unreachable())?.map_err(|error| match error {
			ClientError::Unreachable { .. } => unreachable(),
			error => error.into(),
		})
	}

	/// A connection, and the state at the newest finalised block.
	pub async fn view(&self) -> Result<(Client, View)> {
		let client = self.connect().await?;
		let head = timeout(READ_TIMEOUT, self.head(&client))
			.await
			.map_err(|_| Error::NodeSilent { waited: READ_TIMEOUT })??;
		let view = client.at(head);
		Ok((client, view))
	}

	/// Whose records are asked for: those of this account, or of the one that acts.
	pub fn whose(&self, who: Option<Member>) -> Result<AccountId> {
		match (who, &self.account) {
			(Some(Member(who)), _) => Ok(who),
			(None, Some(_)) => Ok(self.actor(&self.account()?)),
			(None, None) => Err(Error::NobodyNamed),
		}
	}

	/// Whether the command goes by blocks that are not final, because none becomes final. Nothing proves such a block, so the
	/// node has to be one that is believed.
	pub fn is_unfinalised(&self) -> Result<bool> {
		if self.unfinalised && !self.is_local() {
			return Err(Error::NotAllowed {
				why: format!(
					"nothing proves what is not final, and the node at {} is elsewhere",
					self.url
				),
				next: "run this at a node of your own, on its computer".into(),
			});
		}
		Ok(self.unfinalised)
	}

	/// The block that the command goes by: the newest final one, or the newest one where it was asked for.
	pub async fn head(&self, client: &Client) -> Result<Head> {
		let last = client.finalized_head().await?;
		if !self.is_unfinalised()? {
			return Ok(last);
		}
		let newest = client.best_head().await?;
		require_standstill(last.number, newest.number)?;
		Ok(newest)
	}

	/// Has what becomes of transactions proven as everything else that the command goes by.
	pub fn prove_by(&self, trust: &Trust) {
		// A command has one.
		let _ = self.trust.set(trust.clone());
	}

	/// From where what becomes of transactions is proven, if the command has said so.
	pub fn trust(&self) -> Option<&Trust> {
		self.trust.get()
	}

	/// The account that signs. Asks for its passphrase if it has one.
	pub fn account(&self) -> Result<Account> {
		secrets::account(self.account.as_deref().ok_or(Error::AccountMissing)?)
	}

	/// Who acts, if this account signs: itself, for whom it is the proxy, or the account of which it is a member.
	pub fn actor(&self, account: &Account) -> AccountId {
		let group = self.as_multi.as_ref().map(|group| group.account.id());
		self.on_behalf_of.or(group).unwrap_or_else(|| account.id())
	}

	/// Sends a transaction with the tip that was asked for and waits until it is final, or until the person gives up.
	/// Where the account is to act for another one, as its proxy or as one of its members.
	pub async fn submit(
		&self,
		client: &Client,
		account: &Account,
		call: &impl Call,
		doing: &str,
	) -> Result<Finalized> {
		let what = if self.unfinalised { "for a block that holds it" } else { "until it is final" };
		let _progress = Progress::start(format!("{doing}: waiting {what}"));
		let submitting = async {
			let submitted = self.submit_as_asked(client, account, call).await?;
			submitted.map_err(|error| {
				transaction::explain(error, &self.actor(account), &account.id(), call)
			})
		};
		transaction::or_interrupted(submitting, || transaction::interrupted(doing, call)).await
	}

	/// Sends what carries its own authority, and waits until it is final, or until the person gives up.
	pub async fn submit_general(
		&self,
		client: &Client,
		call: &impl Call,
		doing: &str,
	) -> Result<Finalized> {
		let _progress = Progress::start(format!("{doing}: waiting until it is final"));
		let submitting = async {
			self.witness(client).await?;
			match client.include_general(call).await {
				Ok(included) => Ok::<_, Error>(self.outcome(client, &included).await?),
				// It does not lapse by itself.
				Err(error) => Err(self.not_included(error, None).await.into()),
			}
		};
		transaction::or_interrupted(submitting, || transaction::interrupted(doing, call)).await
	}

	async fn submit_as_asked(
		&self,
		client: &Client,
		account: &Account,
		call: &impl Call,
	) -> Result<Result<Finalized, SubmitError>> {
		if let Some(group) = &self.as_multi {
			return group.agree(self, client, account, call).await;
		}
		let Some(real) = &self.on_behalf_of else {
			return self.send(client, account, call).await;
		};
		let through = calls::through_proxy(real, calls::encode(call)?);
		let submitted = self.send(client, account, &through).await?;
		Ok(submitted.and_then(|finalized| calls::proxied(&finalized).map(|()| finalized)))
	}

	/// Signs this very call with the tip that was asked for, and waits until it is final; what it did there is proven wherever
	/// anything is.
	pub async fn send(
		&self,
		client: &Client,
		account: &Account,
		call: &impl Call,
	) -> Result<Result<Finalized, SubmitError>> {
		if self.is_unfinalised()? {
			return self.send_unfinalised(client, account, call).await;
		}
		let from = self.witness(client).await?;
		match client.include(account, call, self.tip, from).await {
			Ok(included) => Ok(self.outcome(client, &included).await),
			Err(error) => Ok(Err(self.not_included(error, from).await)),
		}
	}

	async fn send_unfinalised(
		&self,
		client: &Client,
		account: &Account,
		call: &impl Call,
	) -> Result<Result<Finalized, SubmitError>> {
		self.head(client).await?;
		let included = client.include_unfinalised(account, call, self.tip).await;
		let included = match included {
			Ok(included) => included,
			Err(error) => return Ok(Err(error)),
		};
		self.warn("nothing of this is final: look at it again once blocks are");
		let done = client.outcome(&included).await;
		Ok(done.map(|done| Finalized { is_final: false, ..done }))
	}

	/// Finds out who will say what becomes of a transaction, before it is sent; with the newest block that is proven, if any is.
	async fn witness(&self, client: &Client) -> Result<Option<Head>> {
		let mut witness = self.witness.lock().await;
		match &mut *witness {
			Some(witness) => witness.head().await,
			none => none.insert(Witness::of(self, client)?).head().await,
		}
	}

	/// Why a transaction that counts from the block `from` on, if any is proven, came into no block.
	async fn not_included(&self, error: SubmitError, from: Option<Head>) -> SubmitError {
		match &*self.witness.lock().await {
			Some(witness) => witness.not_included(error, from),
			None => error,
		}
	}

	async fn outcome(
		&self,
		client: &Client,
		included: &Included,
	) -> Result<Finalized, SubmitError> {
		match &mut *self.witness.lock().await {
			Some(witness) => witness.outcome(client, included).await,
			None => client.outcome(included).await,
		}
	}
}

/// Refuses to go by what is not final on a chain that is alive: what was not final may come to nothing, and on such a chain nobody
/// has to bear that.
fn require_standstill(last: u32, newest: u32) -> Result<()> {
	let behind = newest.saturating_sub(last);
	if behind >= STANDSTILL {
		return Ok(());
	}
	Err(Error::NotAllowed {
		why: format!("finality is {behind} blocks behind, and stands still from {STANDSTILL} on"),
		next: "leave --unfinalised out, or wait until it is certain that nothing becomes final"
			.into(),
	})
}

/// Refuses a node of another chain than the one that was asked for. If none was asked for, the node is believed in which
/// chain it is of, which a person has to know unless the node runs on this computer.
fn judge_chain(
	url: &str,
	expected: Option<GenesisHash>,
	found: [u8; 32],
) -> Result<Option<String>> {
	match expected {
		Some(GenesisHash(expected)) if expected != found => {
			Err(Error::WrongChain { expected: hex(&expected), found: hex(&found) })
		},
		None if !is_loopback(url) => Ok(Some(format!(
			"which chain this is and what it says is the word of the node at {url}: pin the chain with \
			 --genesis or DPKI_GENESIS, if {} is the right one",
			hex(&found)
		))),
		_ => Ok(None),
	}
}

/// Whether an address is that of this computer; in doubt it is not.
fn is_loopback(url: &str) -> bool {
	let authority = url
		.split_once("://")
		.and_then(|(_, rest)| rest.split(['/', '\\', '?', '#']).next())
		.unwrap_or_default();
	let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
	let host = match host.strip_prefix('[') {
		Some(host) => host.split(']').next().unwrap_or_default(),
		None => host.split(':').next().unwrap_or_default(),
	};
	host.eq_ignore_ascii_case("localhost")
		|| host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
	use super::*;

	const LOCAL: &str = "ws://127.0.0.1:9944";
	const REMOTE: &str = "wss://node.acme.example";

	#[test]
	fn a_node_of_another_chain_is_refused_wherever_it_is() {
		for url in [LOCAL, REMOTE] {
			let expected = Some(GenesisHash([1; 32]));
			assert!(matches!(judge_chain(url, expected, [1; 32]), Ok(None)));
			let error = judge_chain(url, expected, [2; 32]).unwrap_err();
			let sentence = error.to_string();
			let (found, expected) = (hex(&[2; 32]), hex(&[1; 32]));
			assert!(sentence.contains(&found) && sentence.contains(&expected), "{sentence}");
			assert!(error.next_step().unwrap().contains("--url"));
		}
	}

	#[test]
	fn a_chain_that_is_alive_is_waited_for() {
		assert!(require_standstill(100, 132).is_ok());
		for newest in [100, 131, 99] {
			let error = require_standstill(100, newest).unwrap_err();
			assert!(error.next_step().unwrap().contains("leave --unfinalised out"), "{error}");
		}
	}

	#[test]
	fn a_node_elsewhere_is_not_believed_in_what_is_not_final() {
		use clap::Parser;
		let session = |url: &str, words: &[&str]| {
			let all = [&["dpki", "validator", "list", "--url", url][..], words].concat();
			Session::new(crate::cli::Cli::parse_from(all).global)
		};
		assert_eq!(session(LOCAL, &["--unfinalised"]).is_unfinalised().ok(), Some(true));
		assert_eq!(session(REMOTE, &[]).is_unfinalised().ok(), Some(false));
		let error = session(REMOTE, &["--unfinalised"]).is_unfinalised().unwrap_err();
		assert!(error.to_string().contains("is elsewhere"), "{error}");
	}

	#[test]
	fn without_a_pinned_chain_a_remote_node_is_believed_with_a_warning() {
		assert!(matches!(judge_chain(LOCAL, None, [1; 32]), Ok(None)));
		let warning = judge_chain(REMOTE, None, [1; 32]).unwrap().unwrap();
		assert!(warning.contains(&hex(&[1; 32])) && warning.contains("--genesis"), "{warning}");
		assert_eq!(warning.lines().count(), 1);
	}

	#[test]
	fn only_addresses_of_this_computer_are_loopback() {
		for local in [
			LOCAL,
			"ws://localhost:9944",
			"ws://127.8.9.1/rpc",
			"ws://[::1]:9944/",
			"wss://user:word@localhost",
		] {
			assert!(is_loopback(local), "{local}");
		}
		for remote in [
			REMOTE,
			"ws://10.0.0.7:9944",
			"ws://[::2]:9944",
			"ws://127.0.0.1@node.acme.example",
			"ws://localhost.acme.example",
			"ws://node.acme.example\\@127.0.0.1",
			"ws://",
			"localhost",
		] {
			assert!(!is_loopback(remote), "{remote}");
		}
	}
}
