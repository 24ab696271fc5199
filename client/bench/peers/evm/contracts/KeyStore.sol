// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// What a distributed key store for pre-shared keys keeps on its chain: a device asks with its token, the keeper admits the
/// token, and whoever wants a key goes through all that were admitted, the newest first. Written from the description of
/// such a store, for the sake of its cost; it keeps the weaknesses of the design and is of no use for anything else.
contract KeyStore {
	struct Client {
		string identity;
		string key;
		address account;
	}

	error NotTheKeeper();
	error Unknown();

	address private immutable keeper = msg.sender;
	mapping(string token => Client) private asked;
	mapping(string token => Client) private admitted;
	string[] private tokens;

	/// A device asks to be registered. Whoever comes later with the same token takes its place.
	function ask(string calldata identity, string calldata key, string calldata token) external {
		asked[token] = Client(identity, key, msg.sender);
	}

	/// The keeper admits whatever was asked under this token.
	function admit(string calldata token) external {
		if (msg.sender != keeper) revert NotTheKeeper();
		admitted[token] = asked[token];
		tokens.push(token);
	}

	/// The newest key of this identity.
	function keyOf(string calldata identity) external view returns (string memory) {
		bytes32 wanted = keccak256(bytes(identity));
		for (uint256 place = tokens.length; place > 0; place--) {
			Client storage client = admitted[tokens[place - 1]];
			if (keccak256(bytes(client.identity)) == wanted) return client.key;
		}
		revert Unknown();
	}

	/// How many were admitted.
	function count() external view returns (uint256) {
		return tokens.length;
	}
}
