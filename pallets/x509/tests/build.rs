//! Paths are found in a pool, and the search has an end.

mod common;

use common::{Draft, NOW, Party, World, dns};
use dpki_x509::{Certificate, Error, Pool, Pure, Rules, build};

fn find(
	anchors: &[Certificate],
	intermediates: &[Certificate],
	leaf: &Certificate,
) -> Result<usize, Error> {
	build(&Pure, Pool { anchors, intermediates }, leaf, &Rules::at(NOW))
		.map(|(_, path)| path.len())
		.map_err(|refusal| refusal.error)
}

#[test]
fn a_path_is_found_among_strangers() {
	let world = World::new();
	let stranger = Party::new("CN=Stranger", 9);
	let anchors = [
		Draft::authority(&stranger, &stranger).sign(&stranger),
		world.root_draft().sign(&world.root),
	];
	let pool = [
		Draft::authority(&stranger, &world.root).sign(&world.root),
		world.ca_draft().sign(&world.root),
	];
	let device = world.device_draft().sign(&world.ca);
	assert_eq!(find(&anchors, &pool, &device), Ok(2));
}

#[test]
fn without_an_anchor_there_is_no_path() {
	let world = World::new();
	let pool = [world.root_draft().sign(&world.root), world.ca_draft().sign(&world.root)];
	let device = world.device_draft().sign(&world.ca);
	assert_eq!(find(&[], &pool, &device), Err(Error::PathNotFound));
}

#[test]
fn another_path_is_tried_where_the_first_is_not_valid() {
	let world = World::new();
	let root = [world.root_draft().sign(&world.root)];
	let bad = world.ca_draft().with_constraints(&[dns("b.org")], &[]).sign(&world.root);
	let good = world.ca_draft().sign(&world.root);
	let device = world.device_draft().with_names(&[dns("a.org")]).sign(&world.ca);
	assert_eq!(find(&root, &[bad.clone(), good], &device), Ok(2));
	assert_eq!(find(&root, &[bad], &device), Err(Error::NameNotPermitted));
}

#[test]
fn authorities_that_certify_each_other_are_no_path() {
	let (a, b) = (Party::new("CN=A", 4), Party::new("CN=B", 5));
	let world = World::new();
	let root = [world.root_draft().sign(&world.root)];
	let pool = [Draft::authority(&a, &b).sign(&b), Draft::authority(&b, &a).sign(&a)];
	let device = Draft::device(&world.device, &a).sign(&a);
	assert_eq!(find(&root, &pool, &device), Err(Error::PathNotFound));
}

#[test]
fn a_pool_in_which_everybody_seems_to_have_issued_everybody_costs_a_bounded_number_of_signatures() {
	// One name and 30 keys: each pair has to be tried, 900 in all.
	let parties: Vec<_> = (1..=30).map(|seed| Party::new("CN=Same", seed)).collect();
	let world = World::new();
	let root = [world.root_draft().sign(&world.root)];
	let pool: Vec<_> = (1..30)
		.map(|n| Draft::authority(&parties[n], &parties[n - 1]).sign(&parties[n - 1]))
		.collect();
	let device = Draft::device(&world.device, &parties[29]).sign(&parties[29]);
	assert_eq!(find(&root, &pool, &device), Err(Error::PathBudgetExceeded));
}

#[test]
fn a_forged_certificate_with_the_right_names_does_not_hide_the_right_one() {
	let world = World::new();
	let root = [world.root_draft().sign(&world.root)];
	let forged = world.ca_draft().sign(&world.device);
	let right = world.ca_draft().sign(&world.root);
	let device = world.device_draft().sign(&world.ca);
	assert_eq!(find(&root, &[forged, right], &device), Ok(2));
}
