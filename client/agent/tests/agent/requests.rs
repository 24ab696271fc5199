//! Asking a CA for certificates.

use crate::world::*;
use dpki_agent::request::{Ask, Form, RequestError, plain, service_key_path, sign};
use dpki_client::{
	device_request::{DeviceRequest, Wanted},
	possession::SigningKey,
	primitives::revocation::Withdrawal,
};
use std::os::unix::fs::PermissionsExt;

const HOUR: u64 = 3_600_000;

fn tls(service: &str) -> Ask {
	Ask::Tls { service: service.into(), names: vec!["drone-7.acme.example".into()] }
}

async fn asked(world: &World, ask: Ask) -> Result<DeviceRequest, RequestError> {
	sign(&world.config, &world.chain, ask, HOUR).await
}

#[tokio::test]
async fn a_request_is_signed_by_the_device_and_holds_no_private_key() {
	let world = World::new().with_tls("web");
	let names = vec!["drone-7.acme.example".to_owned()];
	for ask in [Ask::SshHost(names), tls("web")] {
		let request = asked(&world, ask).await.unwrap();
		let signing = world.keys().signing.public();
		request.verify(GENESIS, &signing, world.chain.head.time).unwrap();
		assert_eq!(request.device, world.config.device_id());
		let again: DeviceRequest = request.to_string().parse().unwrap();
		assert_eq!(again, request);
		if let Wanted::SshHost { key, .. } = request.wanted {
			assert_eq!(Some(key), world.keys().host_public());
		}
	}
}

#[tokio::test]
async fn the_key_of_a_service_is_made_once_and_for_the_agent_only() {
	let world = World::new().with_tls("web");
	let first = asked(&world, tls("web")).await.unwrap();
	let path = service_key_path(&world.config, "web");
	let made = std::fs::read(&path).unwrap();
	assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
	let Wanted::Tls { csr, .. } = first.wanted else { panic!("it asks for TLS") };
	assert!(!csr.windows(7).any(|part| part == b"PRIVATE"));
	asked(&world, tls("web")).await.unwrap();
	for form in [Form::Request, Form::SelfSigned { now: NOW, days: 1 }] {
		let names = vec!["drone-7.acme.example".into()];
		assert_eq!(plain(&world.config, "web", names, form).unwrap().key, path);
	}
	assert_eq!(std::fs::read(&path).unwrap(), made, "a renewal is for the same key");
	std::fs::write(&path, "damaged").unwrap();
	assert!(matches!(asked(&world, tls("web")).await, Err(RequestError::Damaged(_))));
}

#[tokio::test]
async fn what_nobody_could_answer_is_not_asked() {
	let mut world = World::new().with_tls("web");
	assert!(matches!(asked(&world, tls("../x")).await, Err(RequestError::Name(_))));
	let unnamed = asked(&world, tls("mesh")).await.unwrap_err().to_string();
	assert!(unnamed.contains("no [apply.tls.mesh]"), "{unnamed}");
	for form in [Form::Request, Form::SelfSigned { now: NOW, days: 1 }] {
		let unnamed = plain(&world.config, "mesh", vec!["mesh.example".into()], form);
		assert!(matches!(unnamed, Err(RequestError::NoService(_))), "{unnamed:?}");
	}
	assert!(!service_key_path(&world.config, "mesh").exists());
	let names = vec!["a b".to_owned()];
	assert!(matches!(asked(&world, Ask::SshHost(names)).await, Err(RequestError::Name(_))));
	// X.509 writes names in ASCII.
	let ask = Ask::Tls { service: "web".into(), names: vec!["dr\u{f6}hne.example".into()] };
	let unwritten = asked(&world, ask).await.unwrap_err();
	assert!(matches!(unwritten, RequestError::Csr(_)), "{unwritten}");
	assert!(unwritten.to_string().contains("check the names"), "{unwritten}");
	assert!(!service_key_path(&world.config, "web").exists(), "no key is made for nothing");
	let long = sign(&world.config, &world.chain, tls("web"), 25 * HOUR).await;
	assert!(matches!(long, Err(RequestError::TooLong)));
	world.chain.device.as_mut().unwrap().withdrawal = Withdrawal::Revoked(revocation());
	assert!(matches!(asked(&world, tls("web")).await, Err(RequestError::NotEnrolled)));
	world.chain.device.as_mut().unwrap().withdrawal = hold();
	assert!(matches!(asked(&world, tls("web")).await, Err(RequestError::OnHold)));
	world.chain.device = None;
	assert!(matches!(asked(&world, tls("web")).await, Err(RequestError::NotEnrolled)));
	world.chain.silent = true;
	assert!(matches!(asked(&world, tls("web")).await, Err(RequestError::Read(_))));
}
