//! The device daemon of the device PKI chain. See the library for the rules.

mod asking;
mod cli;

use clap::Parser;
use cli::{
	AuthorizedKeysArgs, CheckpointArgs, Cli, Command, ConsentArgs, EXIT_ERROR, EXIT_NOT_WORKING,
	EXIT_USAGE, EnrolArgs, FingerprintArgs, GatewayArgs, HybridArgs, InitArgs, InstallArgs,
	LapseArgs, LogFormat, RevokeArgs, RotateArgs, RunArgs, SealArgs, StatusArgs, Suite,
};
use dpki_agent::{
	appliers::authorized::answer::answer,
	config::{BlobSettings, ChainSettings, Config, SshSettings},
	consent::{Request, consent},
	early::Early,
	enrol::enrol,
	files::{PUBLIC, create_whole},
	freshness::{FreshnessSettings, Heard},
	gateway,
	init::init,
	inspection::{Inspection, Time},
	keys::DeviceKeys,
	lock::{LockError, Presence, presence},
	log::JsonLines,
	pin,
	renunciation::{Renounced, renounce},
	rotation::{self, Which},
	run::{clock, run, run_once},
	seal::{Vault, seal_state},
	service::unit::{self, Installation},
	status::Status,
};
use dpki_client::{
	Voucher,
	envelope::hybrid_key_text,
	possession::{Admitted, AgreementKey, SigningKey, SoftwareKey},
	primitives::{ids::KeyId, key::KeyPurpose},
};
use qrcode::{QrCode, render::unicode::Dense1x2};
use serde_json::json;
use std::{
	error::Error,
	io::{IsTerminal, Read},
	path::Path,
	process::ExitCode,
	time::Duration,
};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;
use zeroize::Zeroizing;

type Outcome = Result<ExitCode, Box<dyn Error>>;

#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
	let cli = match Cli::try_parse() {
		Ok(cli) => cli,
		Err(error) => return print_usage_error(&error),
	};
	let as_json = cli.command.as_json();
	let done = match EnvFilter::try_new(&cli.log) {
		Ok(filter) => {
			let log =
				tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
			match cli.log_format {
				LogFormat::Text => log.with_ansi(std::io::stderr().is_terminal()).init(),
				LogFormat::Json => log.with_ansi(false).event_format(JsonLines).init(),
			}
			execute(cli.command).await
		},
		Err(error) => Err(format!("`{}` is no log filter ({error}): try info", cli.log).into()),
	};
	match done {
		Ok(code) => code,
		Err(error) => print_error(&error.to_string(), as_json, EXIT_ERROR),
	}
}

fn print_error(sentence: &str, as_json: bool, code: u8) -> ExitCode {
	let sentence = sentence.split_whitespace().collect::<Vec<_>>().join(" ");
	if as_json {
		eprintln!("{}", json!({ "error": sentence }));
	} else {
		eprintln!("dpki-agent: {sentence}");
	}
	ExitCode::from(code)
}

fn print_usage_error(error: &clap::Error) -> ExitCode {
	// What cannot be parsed does not say for whom the answer is.
	let as_json = std::env::args_os().any(|argument| argument == "--json");
	if !error.use_stderr() || !as_json {
		let _ = error.print();
		return if error.use_stderr() { ExitCode::from(EXIT_USAGE) } else { ExitCode::SUCCESS };
	}
	// The first paragraph says what is wrong, the rest repeats the usage.
	let rendered = error.render().to_string();
	let paragraph = rendered.split("\n\n").next().unwrap_or_default();
	let sentence = paragraph.strip_prefix("error: ").unwrap_or(paragraph);
	print_error(&format!("{sentence}: see --help"), as_json, EXIT_USAGE)
}

async fn execute(command: Command) -> Outcome {
	match command {
		Command::Init(args) => make(*args).await,
		Command::Enrol(args) => spend(args).await,
		Command::Run(args) => follow(args).await,
		Command::Lapse(args) => take_away(&args),
		Command::Seal(args) => seal(args).await,
		Command::Install(args) => install(&args),
		Command::Hybrid(args) => hybrid(args).await,
		Command::Fingerprint(args) => fingerprint(&args).await,
		Command::Rotate(args) => rotate(args).await,
		Command::Revoke(args) => revoke(args).await,
		Command::Consent(args) => agree(args).await,
		Command::Request(args) => asking::ask(args).await,
		Command::AuthorizedKeys(args) => tell_keys(&args),
		Command::Status(args) => show(args),
		Command::Checkpoint(args) => pinned(args),
		Command::Gateway(args) => pass_on(args).await,
	}
}

async fn make(args: InitArgs) -> Outcome {
	let absolute = |path: &Path| {
		std::path::absolute(path).map_err(|error| format!("{}: {error}", path.display()))
	};
	let host_key = args.host_key.as_deref().map(absolute).transpose()?;
	let config = Config {
		organisation: args.organisation,
		device: args.device,
		state: absolute(&args.state)?,
		status_file: args.status_file.as_deref().map(absolute).transpose()?,
		channels: None,
		chain: ChainSettings {
			spec: absolute(&args.chain_spec)?,
			genesis: args.genesis,
			peers: args.peers,
			max_head_age: args.max_head_age,
			checkpoint: args.checkpoint,
		},
		ssh: SshSettings {
			directory: absolute(&args.ssh_dir)?,
			host_key: host_key.clone().unwrap_or_default(),
			sshd: args.sshd,
			sshd_config: args.sshd_config.as_deref().map(absolute).transpose()?,
			reload: args
				.reload
				.iter()
				.flat_map(|line| line.split_whitespace())
				.map(Into::into)
				.collect(),
			..SshSettings::default()
		},
		freshness: FreshnessSettings::default(),
		blobs: args.blobs.into_iter().map(BlobSettings).collect(),
		apply: Default::default(),
		service: args.service.settings()?,
	};
	let made = init(&args.config, config, host_key.as_deref()).await?;
	let device = made.config.device_id();
	if args.suite == Suite::XWing {
		DeviceKeys::add_hybrid(&Vault::of(&made.config).await?)?;
	}
	if args.json {
		let keys: serde_json::Map<_, _> = made
			.keys
			.iter()
			.map(|key| (key.name.into(), json!({ "id": key.id.to_string(), "public": key.public })))
			.collect();
		let text = json!({
			"config": args.config,
			"device_id": device.to_string(),
			"organisation_id": made.config.organisation_id().to_string(),
			"host_key": made.config.ssh.host_key,
			"keys": keys,
			"include": made.include,
			"client_include": made.client_include,
		});
		println!("{text:#}");
		return Ok(ExitCode::SUCCESS);
	}
	println!("configuration  {}", args.config.display());
	println!("device id      {device}");
	for key in &made.keys {
		println!("{:<14} {}  (id {})", format!("{} key", key.name), key.public, key.id);
	}
	println!("\nAdd to sshd_config, above any Match block, and restart sshd:\n  {}", made.include);
	println!(
		"For connections from the device, add to ssh_config, above any Host or Match block:\n  {}",
		made.client_include
	);
	println!(
		"Then spend the voucher:\n  dpki-agent enrol --config {} --voucher -",
		args.config.display()
	);
	Ok(ExitCode::SUCCESS)
}

async fn spend(args: EnrolArgs) -> Outcome {
	let config = Config::load(&args.config)?;
	let text = match (args.voucher, args.voucher_file) {
		(_, Some(path)) => {
			let read = std::fs::read_to_string(&path);
			Zeroizing::new(
				read.map_err(|error| format!("cannot read {}: {error}", path.display()))?,
			)
		},
		(Some(text), None) if text != "-" => Zeroizing::new(text),
		_ => {
			let mut text = Zeroizing::new(String::new());
			std::io::stdin().take(4096).read_to_string(&mut text)?;
			text
		},
	};
	let voucher: Voucher = text.trim().parse()?;
	let timeout = Duration::from_secs(args.timeout);
	let progress = |doing: &str| {
		if !args.json {
			eprintln!("{doing}");
		}
	};
	let enrolled = enrol(&config, &voucher, timeout, progress).await?;
	if args.json {
		let text = json!({
			"device_id": enrolled.device.to_string(),
			"block": enrolled.block,
			"already": enrolled.already,
		});
		println!("{text:#}");
	} else {
		let word = if enrolled.already { "was enrolled before" } else { "is enrolled" };
		println!("{} {word}, proven in block {}", enrolled.device, enrolled.block);
	}
	Ok(ExitCode::SUCCESS)
}

async fn follow(args: RunArgs) -> Outcome {
	let config = Config::load(&args.config)?;
	if args.once {
		let status = run_once(&config, Duration::from_secs(args.timeout)).await?;
		if args.json {
			println!("{}", serde_json::to_string_pretty(&status)?);
		}
		return Ok(ExitCode::SUCCESS);
	}
	run(&config, stop()?).await?;
	Ok(ExitCode::SUCCESS)
}

fn take_away(args: &LapseArgs) -> Outcome {
	let config = Config::load(&args.config)?;
	let taken = match Early::begin(&config) {
		Ok(mut early) => Some(early.take_away(clock())?),
		Err(LockError::Held { .. }) => None,
		Err(error) => return Err(error.into()),
	};
	if args.json {
		let told = json!({
			"running": taken.is_none(),
			"certain": taken.map(|it| it.is_certain),
			"logins_closed": taken.map(|it| it.are_logins_closed),
			"peers_closed": taken.map(|it| it.are_peers_closed),
			"generation": taken.and_then(|it| it.generation),
		});
		println!("{told:#}");
		return Ok(ExitCode::SUCCESS);
	}
	let Some(taken) = taken else {
		println!("an agent runs, which takes away what has ended by itself");
		return Ok(ExitCode::SUCCESS);
	};
	println!("what has ended is taken away");
	for (is_so, sentence) in [
		(!taken.is_certain, "until the chain is heard there is no temporary access"),
		(taken.are_logins_closed, "until then nobody logs in by what the chain says"),
		(taken.are_peers_closed, "until then no TLS peer is believed"),
	] {
		if is_so {
			println!("{sentence}");
		}
	}
	Ok(ExitCode::SUCCESS)
}

async fn pass_on(args: GatewayArgs) -> Outcome {
	let GatewayArgs { listen, node, max_age, json: _ } = args;
	gateway::serve(gateway::Settings { listen, node, max_age }, stop()?).await?;
	Ok(ExitCode::SUCCESS)
}

/// Done when somebody asks the program to end.
fn stop() -> Result<impl Future<Output = ()>, std::io::Error> {
	let mut terminate = signal(SignalKind::terminate())?;
	let mut interrupt = signal(SignalKind::interrupt())?;
	Ok(async move {
		tokio::select! {
			_ = terminate.recv() => {},
			_ = interrupt.recv() => {},
		}
	})
}

async fn seal(args: SealArgs) -> Outcome {
	let config = Config::load(&args.config)?;
	let is_new = seal_state(&config).await?;
	let state = config.state.display();
	if args.json {
		println!("{:#}", json!({ "state": config.state, "already": !is_new }));
	} else {
		println!("the state in {state} is {}", if is_new { "sealed" } else { "sealed already" });
	}
	Ok(ExitCode::SUCCESS)
}

fn install(args: &InstallArgs) -> Outcome {
	let config = Config::load(&args.config)?;
	let program = match &args.program {
		Some(program) => program.clone(),
		None => std::env::current_exe()?,
	};
	let installation = Installation {
		program: &program,
		config_path: &std::path::absolute(&args.config)?,
		config: &config,
		credential: args.credential_file.as_deref(),
		credential_is_plain: args.credential_plain,
		writable: &args.writable,
	};
	let early = args.unit.with_file_name(unit::EARLY);
	let units =
		[(&args.unit, unit::text(&installation)?), (&early, unit::early_text(&installation)?)];
	if args.print {
		for (path, text) in &units {
			println!("# {}\n{text}", path.display());
		}
		return Ok(ExitCode::SUCCESS);
	}
	let mut written = Vec::new();
	for (path, text) in &units {
		if unit::install(text, path, args.replace)? {
			written.push(*path);
		}
	}
	unit::make_directories(&config)?;
	if args.json {
		let told = json!({ "unit": args.unit, "early": early, "already": written.is_empty() });
		println!("{told:#}");
	} else {
		for (path, _) in &units {
			let word = if written.contains(path) { "is written" } else { "is there already" };
			println!("{} {word}", path.display());
		}
		println!("\nStart it with\n  systemctl daemon-reload && systemctl enable --now dpki-agent");
	}
	Ok(ExitCode::SUCCESS)
}

async fn hybrid(args: HybridArgs) -> Outcome {
	let config = Config::load(&args.config)?;
	let key = DeviceKeys::add_hybrid(&Vault::of(&config).await?)?;
	let text = hybrid_key_text(&key.public_bytes());
	if let Some(path) = &args.out {
		create_whole(path, format!("{text}\n").as_bytes(), PUBLIC)?;
	}
	let id = KeyId::of_device(config.device_id(), &key.public());
	if args.json {
		println!("{:#}", json!({ "key_id": id.to_string(), "public": text, "file": args.out }));
	} else if let Some(path) = &args.out {
		println!("the public half of {id} is in {}", path.display());
	} else {
		println!("{text}");
	}
	Ok(ExitCode::SUCCESS)
}

async fn fingerprint(args: &FingerprintArgs) -> Outcome {
	let config = Config::load(&args.config)?;
	let device = config.device_id();
	let vault = Vault::of(&config).await?;
	let text = DeviceKeys::load(&vault)?.enrolment_fingerprint(device);
	if args.json {
		println!("{:#}", json!({ "device_id": device.to_string(), "fingerprint": text }));
		return Ok(ExitCode::SUCCESS);
	}
	println!("{}/{}  {text}", config.organisation, config.device);
	if args.qr {
		// Capital letters, digits and hyphens make the smaller code of their kind. Terminals are mostly
		// dark: what is drawn is the light part, so that the modules are dark where a camera expects it.
		let code = QrCode::new(text.as_bytes())?;
		let mut drawing = code.render::<Dense1x2>();
		println!("{}", drawing.dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build());
	}
	Ok(ExitCode::SUCCESS)
}

async fn rotate(args: RotateArgs) -> Outcome {
	let config = Config::load(&args.config)?;
	if let Some(path) = args.out.as_deref().filter(|path| path.exists()) {
		// Before the chain knows a key whose public half would be nowhere.
		return Err(
			format!("{} exists and is not overwritten: name another file", path.display()).into()
		);
	}
	let overlap = u64::try_from(args.overlap.as_millis()).unwrap_or(u64::MAX);
	let which = if args.hybrid { Which::Hybrid } else { Which::Agreement };
	let timeout = Duration::from_secs(args.timeout);
	let rotated = rotation::register(&config, which, overlap, timeout).await?;
	let public = rotated.public.as_deref().map(hybrid_key_text);
	if let (Some(path), Some(text)) = (&args.out, &public) {
		create_whole(path, format!("{text}\n").as_bytes(), PUBLIC)?;
	}
	if args.json {
		let told = json!({
			"old": rotated.old.to_string(),
			"next": rotated.next.to_string(),
			"already": rotated.already,
			"public": public,
			"file": args.out,
		});
		println!("{told:#}");
		return Ok(ExitCode::SUCCESS);
	}
	let word = if rotated.already { "follows" } else { "now follows" };
	match (&args.out, &public) {
		(None, None) => println!("the agreement key {} {word} {}", rotated.next, rotated.old),
		(None, Some(text)) => println!("{text}"),
		(Some(path), _) => println!(
			"the hybrid key {} {word} {}; its public half is in {}",
			rotated.next,
			rotated.old,
			path.display()
		),
	}
	Ok(ExitCode::SUCCESS)
}

async fn revoke(args: RevokeArgs) -> Outcome {
	let config = Config::load(&args.config)?;
	let timeout = Duration::from_secs(args.timeout);
	let Renounced { key, purpose } =
		renounce(&config, args.key, args.reason, args.last, timeout).await?;
	let (purpose, reason) = (purpose.name(), args.reason.rfc5280_name());
	if args.json {
		let told = json!({ "key_id": key.to_string(), "purpose": purpose, "reason": reason });
		println!("{told:#}");
	} else {
		println!("revoked the {purpose} key {key} ({reason})");
	}
	Ok(ExitCode::SUCCESS)
}

async fn agree(args: ConsentArgs) -> Outcome {
	let config = Config::load(&args.config)?;
	let own = args.key.as_deref().map(|path| read_key(path, args.purpose)).transpose()?;
	let hybrid = match args.hybrid {
		true => Some(DeviceKeys::add_hybrid(&Vault::of(&config).await?)?.public()),
		false => None,
	};
	let key = match (&hybrid, &own, &args.public) {
		(Some(public), ..) => Admitted::Held(public),
		(None, Some(key), _) => Admitted::Own(&**key),
		(None, None, Some(public)) => Admitted::Foreign(public),
		(None, None, None) => return Err("say which key: give --key, --public or --hybrid".into()),
	};
	let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
	let request = Request {
		account: args.account,
		purpose: args.purpose,
		key,
		valid: args.valid.map(millis),
		lifetime: millis(args.lifetime),
	};
	let signed = consent(&config, request, Duration::from_secs(args.timeout)).await?;
	let text = signed.to_string();
	if let Some(path) = &args.out {
		create_whole(path, format!("{text}\n").as_bytes(), PUBLIC)?;
	}
	if args.json {
		let told = json!({
			"consent": text,
			"device_id": signed.device.to_string(),
			"key_id": signed.key.to_string(),
			"purpose": signed.purpose.name(),
			"proven": signed.proven.is_some(),
			"file": args.out,
		});
		println!("{told:#}");
	} else if let Some(path) = &args.out {
		println!(
			"consent to the {} key {} in {}",
			signed.purpose.name(),
			signed.key,
			path.display()
		);
	} else {
		println!("{text}");
	}
	Ok(ExitCode::SUCCESS)
}

fn tell_keys(args: &AuthorizedKeysArgs) -> Outcome {
	let keys = answer(&Config::load(&args.config)?, &args.login, clock())?;
	if args.json {
		println!("{:#}", json!({ "login": args.login, "keys": keys.lines().collect::<Vec<_>>() }));
	} else {
		print!("{keys}");
	}
	Ok(ExitCode::SUCCESS)
}

/// A private key that lies on the device.
fn read_key(path: &Path, purpose: KeyPurpose) -> Result<Box<dyn SigningKey>, Box<dyn Error>> {
	let read = std::fs::read_to_string(path);
	let text =
		Zeroizing::new(read.map_err(|error| format!("cannot read {}: {error}", path.display()))?);
	Ok(match purpose {
		KeyPurpose::KeyAgreement => Box::new(AgreementKey::from_text(&text, None)?),
		_ => Box::new(SoftwareKey::from_text(&text, None)?),
	})
}

fn show(args: StatusArgs) -> Outcome {
	let config = Config::load(&args.config)?;
	let path = config.status_path();
	let presence = presence(&config.state);
	let Some(status) = Status::read(&path)? else {
		let sentence = match presence {
			Presence::Running { .. } => {
				format!("the agent runs, but has not written {} yet: see its log", path.display())
			},
			Presence::Absent | Presence::Hidden => {
				"the agent has not run yet: start it with `dpki-agent run`".into()
			},
		};
		return Ok(print_error(&sentence, args.json, EXIT_NOT_WORKING));
	};
	let shown = clock();
	let time = Time { shown, of_blocks: Heard::open(&config.state).now(shown) };
	let found = Inspection::new(status, presence, &config.chain, time);
	if args.json {
		println!("{}", serde_json::to_string_pretty(&found)?);
	} else {
		print!("{found}");
	}
	Ok(if found.working { ExitCode::SUCCESS } else { ExitCode::from(EXIT_NOT_WORKING) })
}

fn pinned(args: CheckpointArgs) -> Outcome {
	let config = Config::load(&args.config)?;
	let checkpoint = match args.recovery {
		Some(path) => {
			let read = std::fs::read(&path);
			let recovery =
				read.map_err(|error| format!("cannot read {}: {error}", path.display()))?;
			pin::recover(&config, &recovery, clock())?
		},
		None => pin::newest(&config)?.ok_or(pin::PinError::None)?,
	};
	let hex = |bytes: &[u8]| format!("0x{}", hex::encode(bytes));
	let (set, digest) = (&checkpoint.set, hex(&checkpoint.digest()));
	if args.json {
		let authorities: Vec<_> = set.authorities().iter().map(|key| hex(key)).collect();
		let text = json!({
			"checkpoint": hex(&checkpoint.encode()),
			"digest": digest,
			"genesis": hex(&checkpoint.genesis),
			"number": checkpoint.number,
			"hash": hex(&checkpoint.hash),
			"set_id": set.id(),
			"authorities": authorities,
		});
		println!("{text:#}");
	} else {
		println!("block         {} ({})", checkpoint.number, hex(&checkpoint.hash));
		println!("authorities   {} in set {}", set.authorities().len(), set.id());
		println!("digest        {digest}");
		println!("checkpoint    {}", hex(&checkpoint.encode()));
	}
	Ok(ExitCode::SUCCESS)
}
