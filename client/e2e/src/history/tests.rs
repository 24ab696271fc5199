//! What is found in a history, and what is not.

use super::*;

const TRANSACTION: Hash = [9; 32];

fn history(events: impl IntoIterator<Item = Event>) -> History {
	let history = History::default();
	for event in events {
		history.note(event);
	}
	history
}

fn block(number: u32, hash: u8) -> Block {
	Block { number, hash: [hash; 32] }
}

fn started(node: &str) -> Event {
	Event::Started { node: node.into() }
}

fn head(node: &str, number: u32, hash: u8) -> Event {
	Event::Head { node: node.into(), block: block(number, hash) }
}

fn holds(node: &str, number: u32, hash: u8) -> Event {
	Event::Holds { node: node.into(), block: block(number, hash) }
}

fn accepted() -> Event {
	Event::Accepted { transaction: TRANSACTION }
}

fn acknowledged(number: u32, hash: u8) -> Event {
	Event::Acknowledged { transaction: TRANSACTION, block: block(number, hash) }
}

fn refused() -> Event {
	Event::Refused { transaction: TRANSACTION }
}

fn found(node: &str, number: u32) -> Event {
	Event::Found { node: node.into(), number, transaction: TRANSACTION }
}

fn missing(node: &str, number: u32) -> Event {
	Event::Missing { node: node.into(), number, transaction: TRANSACTION }
}

fn judged(node: &str, number: u32, revoked: bool) -> Event {
	Event::Judged { node: node.into(), number, subject: "key".into(), revoked }
}

#[test]
fn a_history_in_which_all_went_well_has_no_violation() {
	let told = history([
		started("north"),
		started("east"),
		head("north", 1, 1),
		accepted(),
		head("east", 1, 1),
		judged("north", 1, false),
		head("north", 2, 2),
		acknowledged(2, 2),
		// East has not come as far: it cannot know.
		missing("east", 1),
		judged("north", 2, true),
		judged("east", 1, false),
		head("north", 2, 2),
		started("north"),
		// Behind where it was, as it may be after it was killed.
		head("north", 1, 1),
		head("north", 3, 3),
		holds("east", 2, 2),
		found("north", 3),
		judged("north", 3, true),
	]);
	assert_eq!(told.check(), []);
}

#[test]
fn two_final_blocks_of_one_number_are_a_fork_whoever_tells_them_and_when() {
	let fork = |number| Violation::Fork { number, first: [1; 32], other: [2; 32] };
	for other in [head("east", 5, 2), holds("east", 5, 2), head("north", 5, 2)] {
		assert_eq!(history([head("north", 5, 1), other]).check(), [fork(5)]);
	}
	let restarted = [head("north", 5, 1), started("north"), head("north", 5, 2)];
	assert_eq!(history(restarted).check(), [fork(5)]);
	let acknowledged = [acknowledged(7, 1), found("east", 7), holds("north", 7, 2)];
	assert_eq!(history(acknowledged).check(), [fork(7)]);
}

#[test]
fn a_node_goes_back_only_when_it_was_started_again() {
	let back = [head("north", 5, 5), head("north", 4, 4)];
	let regress = Violation::Regress { node: "north".into(), from: 5, to: 4 };
	assert_eq!(history(back).check(), [regress]);
	// The start of another one is no excuse.
	let excuse = [head("north", 5, 5), started("east"), head("north", 4, 4)];
	assert_eq!(history(excuse).check().len(), 1);
}

#[test]
fn an_acknowledged_transaction_that_is_missing_later_is_lost() {
	let lost = Violation::Lost { transaction: TRANSACTION, node: "east".into() };
	assert_eq!(
		history([acknowledged(5, 5), missing("east", 5)]).check(),
		std::slice::from_ref(&lost)
	);
	// That another one has it does not help.
	let elsewhere = [acknowledged(5, 5), found("north", 9), missing("east", 9)];
	assert_eq!(history(elsewhere).check(), [lost]);
}

#[test]
fn an_acknowledged_transaction_that_nobody_looked_for_proves_nothing() {
	let unchecked = Violation::Unchecked { transaction: TRANSACTION };
	assert_eq!(history([acknowledged(5, 5)]).check(), std::slice::from_ref(&unchecked));
	// To have looked before is not to have looked.
	assert_eq!(history([found("north", 5), acknowledged(5, 5)]).check(), [unchecked]);
}

#[test]
fn what_was_revoked_stays_revoked_on_every_node() {
	let returned = Violation::Returned { subject: "key".into(), node: "east".into() };
	let again = [judged("north", 5, true), judged("east", 5, false)];
	assert_eq!(history(again).check(), [returned]);
	let later = [judged("north", 5, true), started("north"), judged("north", 6, false)];
	assert_eq!(history(later).check().len(), 1);
	let earlier = [judged("north", 5, true), judged("east", 4, false)];
	assert_eq!(history(earlier).check(), []);
}

#[test]
fn an_accepted_transaction_is_included_or_given_up_in_words() {
	let forgotten = Violation::Forgotten { transaction: TRANSACTION };
	assert_eq!(history([accepted()]).check(), std::slice::from_ref(&forgotten));
	assert_eq!(history([accepted(), missing("north", 9)]).check(), [forgotten]);
	assert_eq!(history([accepted(), refused()]).check(), []);
	assert_eq!(history([accepted(), acknowledged(5, 5), found("north", 5)]).check(), []);
}

#[test]
fn what_cannot_come_any_more_does_not_come() {
	let contradicted = Violation::Contradicted { transaction: TRANSACTION };
	assert_eq!(
		history([refused(), found("north", 5)]).check(),
		std::slice::from_ref(&contradicted)
	);
	let acknowledged = [refused(), acknowledged(5, 5), found("north", 5)];
	assert_eq!(history(acknowledged).check(), [contradicted]);
}

#[test]
fn a_stall_lasts_until_a_higher_block_or_the_end() {
	let told = history([head("north", 1, 1), head("east", 1, 1), head("north", 2, 2)]);
	let events = told.events().clone();
	let (first, last) = (events[0].0, events[2].0);
	assert_eq!(told.longest_stall(first, last), last - first);
	let end = last + Duration::from_secs(7);
	assert_eq!(told.longest_stall(first, end), Duration::from_secs(7));
	assert_eq!(told.reached(&["north"], 2, first), Some(last));
	assert_eq!(told.reached(&["north", "east"], 2, first), None);
}

#[test]
fn a_head_counts_for_the_life_of_its_node_alone() {
	let told = history([started("north"), head("north", 9, 9), started("north")]);
	assert_eq!(told.head_of("north"), None);
	told.note(head("east", 9, 9));
	told.note(head("north", 8, 8));
	assert_eq!(told.head_of("north"), Some(8));
	assert_eq!(told.highest(), Some(block(9, 9)));
}

#[test]
fn what_a_node_has_forgotten_is_counted_at_each_start() {
	let told = history([
		started("north"),
		head("north", 9, 9),
		started("north"),
		head("north", 7, 7),
		head("north", 10, 10),
		started("north"),
		head("north", 10, 10),
	]);
	assert_eq!(told.set_backs(), [0, 2, 0]);
}
