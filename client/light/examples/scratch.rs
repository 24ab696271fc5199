//! scratch
use dpki_client::{Account, Client, calls};
use dpki_light::LightClient;
use futures::StreamExt;
use std::time::Instant;

async fn exercise(name: &str, client: Client, from: &str, to: &str) {
	let t = Instant::now();
	println!("[{name}] genesis 0x{}", hex::encode(client.genesis_hash()));
	let mut heads = client.finalized_heads();
	for _ in 0..5 {
		println!("[{name}] {:?} {:?}", t.elapsed(), heads.next().await.unwrap());
	}
	drop(heads);
	let view = client.at_finalized().await.unwrap();
	let alice = Account::from_uri(from).unwrap();
	let bob = Account::from_uri(to).unwrap();
	println!(
		"[{name}] {from} has {} {to} has {}",
		view.free_balance(&alice.id()).await.unwrap(),
		view.free_balance(&bob.id()).await.unwrap()
	);
	let t = Instant::now();
	match client.submit(&alice, &calls::transfer(&bob.id(), 1_000_000_000_000)).await {
		Ok(done) => {
			println!(
				"[{name}] transfer final in {:?}: block {} with {} events",
				t.elapsed(),
				done.number,
				done.events.len()
			);
			for event in done.events {
				println!("   {}.{} {}", event.pallet, event.name, event.text);
			}
		},
		Err(error) => println!("[{name}] transfer after {:?}: {error}", t.elapsed()),
	}
	let t = Instant::now();
	println!(
		"[{name}] too much: {:?} {}",
		t.elapsed(),
		client
			.submit(&alice, &calls::transfer(&bob.id(), u128::MAX / 2))
			.await
			.map_err(|e| e.to_string())
			.err()
			.unwrap_or("done".into())
	);
	println!("[{name}]   took {:?}", t.elapsed());
	let t = Instant::now();
	let poor = Account::generate();
	println!(
		"[{name}] poor: {}",
		client
			.submit(&poor, &calls::transfer(&bob.id(), 1))
			.await
			.map_err(|e| e.to_string())
			.err()
			.unwrap_or("done".into())
	);
	println!("[{name}]   took {:?}", t.elapsed());
	let t = Instant::now();
	let voucher =
		dpki_client::Voucher::generate(client.genesis_hash(), "acme", "drone-7", 0).unwrap();
	let mut registration = dpki_client::possession::Registration {
		genesis: client.genesis_hash(),
		registrant: dpki_client::primitives::context::Registrant::Voucher(voucher.id()),
		device: voucher.device_id(),
		keys_registered: 0,
		expires_at: view.now() + 1000_000,
	};
	let key = dpki_client::possession::SoftwareKey::generate(
		dpki_client::primitives::key::KeyType::Ed25519,
	)
	.unwrap();
	let keys = [registration
		.prove(dpki_client::primitives::key::KeyPurpose::Sign, &key, None)
		.unwrap()];
	let sig = voucher.sign_enrolment(&keys, view.now() + 1000_000);
	let call =
		calls::enrol(voucher.public(), "drone-7", &keys, view.now() + 1000_000, sig).unwrap();
	println!(
		"[{name}] enrol: {}",
		client
			.submit_general(&call)
			.await
			.map_err(|e| e.to_string())
			.err()
			.unwrap_or("done".into())
	);
	println!("[{name}]   took {:?}", t.elapsed());
	let t = Instant::now();
	use dpki_client::BlobStore;
	println!(
		"[{name}] blob: {:?} {:?}",
		dpki_client::ChainBlobs::new(&client)
			.get(dpki_client::primitives::ids::BlobDigest([7; 32]), 100)
			.await
			.map_err(|e| e.to_string()),
		t.elapsed()
	);
	println!("[{name}] end {:?}", t.elapsed());
}

#[tokio::main]
async fn main() {
	tracing_subscriber::fmt()
		.with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
		.init();
	let args: Vec<String> = std::env::args().collect();
	let (url, spec, peer) = (&args[1], &args[2], &args[3]);
	let t = Instant::now();
	let client = Client::connect(url).await.unwrap();
	println!("[rpc] connected {:?}", t.elapsed());
	let genesis = client.genesis_hash();
	exercise("rpc", client, "//Alice", "//Bob").await;
	println!("{}", Client::connect("ws://127.0.0.1:1").await.unwrap_err());
	println!("{}", Client::connect("http://127.0.0.1:1").await.unwrap_err());
	let spec = std::fs::read_to_string(spec).unwrap();
	println!("{}", LightClient::start(&spec, &[peer.clone()], [9; 32]).await.unwrap_err());
	let t = Instant::now();
	let light = LightClient::start(&spec, &[peer.clone()], genesis).await.unwrap();
	println!("[light] started {:?}", t.elapsed());
	let client = Client::from_rpc(light.rpc()).await.unwrap();
	println!(
		"[light] first head {:?} {:?}",
		client.finalized_head().await.map_err(|e| e.to_string()),
		t.elapsed()
	);
	exercise("light", client, "//Bob", "//Alice").await;
}
