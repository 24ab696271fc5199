// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Keyring } from '@polkadot/api';
import { Enum, createClient } from 'polkadot-api';
import { getPolkadotSigner } from 'polkadot-api/signer';
import { getWsProvider } from 'polkadot-api/ws';
import WebSocket from 'ws';
import { refusals } from '../definitions.js';
import { anchors, change, delivery, devices, genesis, nobody, organisation, url } from './node.mjs';

const [, anchor] = anchors;
let client;
let api;

before(() => {
  client = createClient(getWsProvider(url, { websocketClass: WebSocket }));
  api = client.getUnsafeApi();
});

after(() => client?.destroy());

const hex = (bytes) => `0x${Buffer.from(bytes).toString('hex')}`;

/** The code of the refusal that this promise ends with. */
async function refusal(promise) {
  const error = await promise.then(
    () => assert.fail('it was not refused'),
    (error) => error,
  );
  return error.code;
}

test('storage is read', async () => {
  assert.equal((await client.getChainSpecData()).genesisHash, genesis);
  const record = await api.query.Organisations.Organisations.getValue(organisation.id);
  assert.equal(Buffer.from(record.name).toString(), organisation.name);
  assert.equal(await api.query.Organisations.Organisations.getValue(nobody), undefined);
});

test('the runtime api gives verdicts, and the storage key with which to have them proven', async () => {
  const verdict = await api.apis.DpkiApi.anchor(anchor);
  assert.equal(verdict.status.type, 'Valid');
  const key = hex(verdict.storage_key);
  assert.equal(key, await api.query.Dpki.Anchors.getKey(anchor));
  const answer = await client._request('dpki_bundle', [[key]]);
  assert.match(answer.bundle, /^0x01/);
  assert.equal((await api.apis.DpkiApi.anchor(nobody)).status.type, 'Unknown');
});

test('fragments are served, and what is beyond the limits is refused with a code', async () => {
  const { fragments, ...answer } = await client._request('dpki_warpFragments', [null]);
  const last = await client._request('chain_getBlockHash', [change]);
  assert.deepEqual(answer, { count: 1, last, isFinished: true });
  // A list of one, which begins with the hash of the block before.
  const parent = await client._request('chain_getBlockHash', [change - 1]);
  assert.ok(fragments.startsWith(`0x04${parent.slice(2)}`), fragments);
  const rest = await client._request('dpki_warpFragments', [last]);
  assert.deepEqual(rest, { count: 0, last, isFinished: true, fragments: '0x00' });
  assert.equal(await refusal(client._request('dpki_bundle', [['0x00']])), refusals.keyLength);
  assert.equal(await refusal(client._request('dpki_warpFragments', [nobody])), refusals.unknownBlock);
});

/** The first notification about deliveries with these parameters that this is true of. */
async function heardOfDeliveries(params, isIt) {
  let following;
  const heard = await new Promise((resolve, reject) => {
    following = client._subscribe('dpki_subscribeDeliveries', 'dpki_unsubscribeDeliveries', params).subscribe({
      next: (told) => isIt(told) && resolve(told),
      error: reject,
    });
  });
  following.unsubscribe();
  return heard;
}

test('a delivery is heard of by its device and by nobody else', async () => {
  const [device, other] = devices;
  const told = await heardOfDeliveries([1, device], ({ deliveries }) => deliveries.length > 0);
  assert.equal(told.blockNumber, delivery.block);
  assert.equal(told.deliveries.length, 1);
  const [{ kind, sequence, digest, organisation: publisher, ...published }] = told.deliveries;
  assert.deepEqual(
    { kind, sequence, digest, publisher, device: published.device },
    { kind: 'published', sequence: 1, digest: delivery.digest, publisher: organisation.id, device },
  );

  const quiet = await heardOfDeliveries([delivery.block, other], () => true);
  assert.deepEqual([quiet.blockNumber, quiet.deliveries], [delivery.block, []]);
});

test('a revocation is submitted and heard of', async () => {
  const { number: since } = await client.getFinalizedBlock();
  let following;
  const heard = new Promise((resolve, reject) => {
    following = client._subscribe('dpki_subscribeRevocations', 'dpki_unsubscribeRevocations', [since]).subscribe({
      next: (told) => {
        const found = told.revocations.find((it) => it.id === anchor);
        if (found) resolve({ told, found });
      },
      error: reject,
    });
  });

  const alice = new Keyring({ type: 'sr25519' }).addFromUri('//Alice');
  const signer = getPolkadotSigner(alice.publicKey, 'Sr25519', (message) => alice.sign(message));
  const submitted = await api.tx.Dpki.revoke_anchor({ anchor, reason: Enum('KeyCompromise') }).signAndSubmit(signer);
  assert.ok(submitted.ok, JSON.stringify(submitted.dispatchError));

  const { told, found } = await heard;
  following.unsubscribe();
  assert.deepEqual([told.blockNumber, told.blockHash], [submitted.block.number, submitted.block.hash]);
  assert.deepEqual(
    { kind: found.kind, owner: found.owner, reason: found.reason, subject: found.subject },
    { kind: 'anchor', owner: organisation.id, reason: 'keyCompromise', subject: null },
  );
  assert.equal((await api.apis.DpkiApi.anchor(anchor)).status.type, 'Revoked');
});
