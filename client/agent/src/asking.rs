//! `dpki-agent request`: asking a CA, over the chain or by hand.

use crate::{
	Outcome,
	cli::{RequestArgs, RequestKind},
};
use dpki_agent::{
	config::Config,
	files::{PUBLIC, create_whole},
	filing,
	request::{Ask, Form, plain, request},
	run::clock,
};
use dpki_client::primitives::filing::FilingKind;
use serde_json::json;
use std::{process::ExitCode, time::Duration};

/// Asks for a certificate.
pub async fn ask(args: RequestArgs) -> Outcome {
	let config = Config::load(&args.config)?;
	if args.withdraw {
		return take_back(&config, args).await;
	}
	if args.plain || args.self_signed {
		return ask_plainly(&config, args);
	}
	let is_carried = args.is_carried();
	if !is_carried {
		let (no_wait, timeout, as_json) = (args.no_wait, args.timeout, args.json);
		return ask_over_chain(&config, what(args)?, no_wait, timeout, as_json).await;
	}
	let lifetime = u64::try_from(args.lifetime.as_millis()).unwrap_or(u64::MAX);
	let (out, as_json) = (args.out.clone(), args.json);
	let timeout = Duration::from_secs(args.timeout);
	let signed = request(&config, what(args)?, lifetime, timeout).await?;
	let text = signed.to_string();
	if let Some(path) = &out {
		create_whole(path, format!("{text}\n").as_bytes(), PUBLIC)?;
	}
	if as_json {
		let told = json!({
			"request": text,
			"device_id": signed.device.to_string(),
			"expires_at": signed.expires_at,
			"file": out,
		});
		println!("{told:#}");
	} else if let Some(path) = &out {
		println!("the request is in {}", path.display());
	} else {
		println!("{text}");
	}
	Ok(ExitCode::SUCCESS)
}

/// What is asked for.
fn what(args: RequestArgs) -> Result<Ask, String> {
	let RequestArgs { what, service, user, names, principals, .. } = args;
	let is_of_user = what == RequestKind::SshUser;
	if is_of_user && !names.is_empty() {
		return Err("--name is for hosts and services: give --principal".into());
	}
	if !is_of_user && (names.is_empty() || !principals.is_empty() || user.is_some()) {
		return Err("--user and --principal are for `ssh-user`: give --name".into());
	}
	match (what, service, user) {
		(RequestKind::Tls, Some(service), _) => Ok(Ask::Tls { service, names }),
		(RequestKind::Tls, None, _) => Err("say which service: give --service".into()),
		(RequestKind::SshHost, ..) => Ok(Ask::SshHost(names)),
		(RequestKind::SshUser, _, Some(login)) => Ok(Ask::SshUser { login, principals }),
		(RequestKind::SshUser, _, None) => Err("say which account: give --user".into()),
	}
}

/// Takes a request back.
async fn take_back(config: &Config, args: RequestArgs) -> Outcome {
	let kind = match (args.what, args.service, args.user) {
		(RequestKind::Tls, Some(service), _) => filing::for_service(config, &service)?,
		(RequestKind::SshUser, _, Some(login)) => filing::for_user(config, &login)?,
		(RequestKind::SshHost, ..) => FilingKind::SshHost,
		// The command line asks for them.
		(RequestKind::Tls | RequestKind::SshUser, ..) => {
			return Err("say for what: give --service or --user".into());
		},
	};
	let timeout = Duration::from_secs(args.timeout);
	let block = filing::withdraw(config, kind, timeout).await?;
	if args.json {
		println!("{:#}", json!({ "device_id": config.device_id().to_string(), "block": block }));
	} else {
		println!("the request was taken back in block {block}");
	}
	Ok(ExitCode::SUCCESS)
}

/// Files the request on the chain, and waits for the answer.
async fn ask_over_chain(
	config: &Config,
	ask: Ask,
	no_wait: bool,
	timeout: u64,
	as_json: bool,
) -> Outcome {
	let waiting = filing::file(config, ask, Duration::from_secs(timeout)).await?;
	let (device, slot) = waiting.filed.place;
	if !as_json {
		let next = if no_wait { "" } else { ": waiting for the organisation to answer" };
		eprintln!("the request is filed in block {}, slot {slot}{next}", waiting.filed.block);
	}
	let answered_in = if no_wait { None } else { Some(waiting.answer().await?) };
	if as_json {
		let told = json!({
			"device_id": device.to_string(),
			"slot": slot,
			"number": waiting.filed.number,
			"block": waiting.filed.block,
			"expires_at": waiting.filed.expires_at,
			"answered_in": answered_in.map(|(_, sequence)| sequence),
			"answered_on": answered_in.map(|(channel, _)| channel.number()),
		});
		println!("{told:#}");
	} else if let Some((channel, sequence)) = answered_in {
		println!(
			"the certificate is in delivery {sequence} on channel {channel}; the agent that runs puts it in force"
		);
	}
	Ok(ExitCode::SUCCESS)
}

/// Asks somebody who knows nothing of the chain.
fn ask_plainly(config: &Config, args: RequestArgs) -> Outcome {
	let (RequestKind::Tls, Some(service)) = (args.what, args.service) else {
		return Err(
			"--plain and --self-signed are for `tls` and a --service: leave them out".into()
		);
	};
	let form = match args.self_signed {
		true => Form::SelfSigned { now: clock(), days: args.days },
		false => Form::Request,
	};
	let made = plain(config, &service, args.names, form)?;
	if let Some(path) = &args.out {
		create_whole(path, made.pem.as_bytes(), PUBLIC)?;
	}
	if args.json {
		println!("{:#}", json!({ "pem": made.pem, "key": made.key, "file": args.out }));
	} else if let Some(path) = &args.out {
		println!("what is to be given away is in {}", path.display());
	} else {
		print!("{}", made.pem);
	}
	Ok(ExitCode::SUCCESS)
}
