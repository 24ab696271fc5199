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
	let ask = match (args.what, args.service) {
		(RequestKind::Tls, Some(service)) => Ask::Tls { service, names: args.names },
		(RequestKind::Tls, None) => return Err("say which service: give --service".into()),
		(RequestKind::SshHost, _) => Ask::SshHost(args.names),
	};
	if !is_carried {
		return ask_over_chain(&config, ask, args.no_wait, args.timeout, args.json).await;
	}
	let lifetime = u64::try_from(args.lifetime.as_millis()).unwrap_or(u64::MAX);
	let signed = request(&config, ask, lifetime, Duration::from_secs(args.timeout)).await?;
	let text = signed.to_string();
	if let Some(path) = &args.out {
		create_whole(path, format!("{text}\n").as_bytes(), PUBLIC)?;
	}
	if args.json {
		let told = json!({
			"request": text,
			"device_id": signed.device.to_string(),
			"expires_at": signed.expires_at,
			"file": args.out,
		});
		println!("{told:#}");
	} else if let Some(path) = &args.out {
		println!("the request is in {}", path.display());
	} else {
		println!("{text}");
	}
	Ok(ExitCode::SUCCESS)
}

/// Takes a request back.
async fn take_back(config: &Config, args: RequestArgs) -> Outcome {
	let service = match args.what {
		RequestKind::Tls => args.service,
		RequestKind::SshHost => None,
	};
	let timeout = Duration::from_secs(args.timeout);
	let block = filing::withdraw(config, service.as_deref(), timeout).await?;
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
