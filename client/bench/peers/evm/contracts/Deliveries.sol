// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// What a store of encrypted key deliveries keeps on its chain: one place for each device, with the name of a blob and a
/// hash, and an event with a hash of the keys. Anybody writes, as in the design that it stands for; written from its
/// description, for the sake of its cost, and of no use for anything else.
contract Deliveries {
	struct Bundle {
		string cid;
		string digest;
	}

	error Unknown();

	event Published(address indexed by, address indexed device, string keys, string cid, string digest);

	mapping(address device => Bundle) private newest;

	/// Puts a bundle into the place of a device.
	function publish(address device, string calldata keys, string calldata cid, string calldata digest) external {
		newest[device] = Bundle(cid, digest);
		emit Published(msg.sender, device, keys, cid, digest);
	}

	/// The bundle of the device that asks.
	function mine() external view returns (Bundle memory bundle) {
		bundle = newest[msg.sender];
		if (bytes(bundle.cid).length == 0) revert Unknown();
	}
}
