// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ApiPromise, Keyring, WsProvider } from '@polkadot/api';
import * as dpki from '../definitions.js';
import { anchors, change, delivery, devices, genesis, nobody, organisation, url } from './node.mjs';

const [anchor] = anchors;
let api;

before(async () => {
  api = await ApiPromise.create({ provider: new WsProvider(url), throwOnConnect: true, noInitWarn: true, ...dpki });
});

after(() => api?.disconnect());

/** The code of the refusal that this promise ends with. */
async function refusal(promise) {
  const error = await promise.then(
    () => assert.fail('it was not refused'),
    (error) => error,
  );
  return error.code;
}

test('the node lists the methods', async () => {
  assert.equal(api.genesisHash.toHex(), genesis);
  const { methods } = await api.rpc.rpc.methods();
  const listed = methods.map(String);
  for (const name of Object.keys(dpki.rpc.dpki)) {
    assert.ok(listed.includes(`dpki_${name}`), name);
    assert.equal(typeof api.rpc.dpki[name], 'function');
  }
});

test('storage is read with types from the metadata', async () => {
  const record = await api.query.organisations.organisations(organisation.id);
  assert.ok(record.isSome);
  assert.equal(record.unwrap().name.toUtf8(), organisation.name);
  assert.ok((await api.query.organisations.organisations(nobody)).isNone);
});

test('the runtime api gives verdicts', async () => {
  const verdict = await api.call.dpkiApi.anchor(anchor);
  assert.ok(verdict.record.isSome && verdict.status.isValid, verdict.toString());
  const unknown = await api.call.dpkiApi.anchor(nobody);
  assert.ok(unknown.record.isNone && unknown.status.isUnknown, unknown.toString());
});

test('a bundle is about a finalised block', async () => {
  const key = api.query.dpki.anchors.key(anchor);
  const { blockNumber, blockHash, bundle } = await api.rpc.dpki.bundle([key]);
  assert.equal((await api.rpc.chain.getBlockHash(blockNumber)).toHex(), blockHash.toHex());
  assert.ok(bundle.length > 500 && bundle.length < 20_000, `${bundle.length}`);
  const same = await api.rpc.dpki.bundle([key], blockHash);
  assert.ok(same.blockNumber.gte(blockNumber));
});

test('the fragments lead over the change of the authorities', async () => {
  const answer = await api.rpc.dpki.warpFragments();
  assert.equal(answer.count.toNumber(), 1);
  assert.ok(answer.isFinished.isTrue);
  assert.equal(answer.last.toHex(), (await api.rpc.chain.getBlockHash(change)).toHex());
  // A list of one, of a header that follows its parent.
  const header = await api.rpc.chain.getHeader(answer.last);
  assert.ok(answer.fragments.toHex().startsWith(`0x04${header.toHex().slice(2)}`), answer.fragments.toHex());
  assert.ok(answer.fragments.length > header.encodedLength + 100, `${answer.fragments.length}`);

  const rest = await api.rpc.dpki.warpFragments(answer.last);
  assert.equal(rest.count.toNumber(), 0);
  assert.equal(rest.last.toHex(), answer.last.toHex());
  assert.equal(rest.fragments.toHex(), '0x00');
});

test('what is asked beyond the limits is refused with a code', async () => {
  const { bundle, warpFragments } = api.rpc.dpki;
  assert.equal(await refusal(bundle(['0x3a636f6465'])), dpki.refusals.keyLength);
  const many = Array.from({ length: 65 }, (_, n) => `0x${n.toString(16).padStart(64, '0')}`);
  assert.equal(await refusal(bundle(many)), dpki.refusals.tooManyKeys);
  assert.equal(await refusal(bundle([], nobody)), dpki.refusals.unknownBlock);
  assert.equal(await refusal(warpFragments(nobody)), dpki.refusals.unknownBlock);
});

test('a revocation is submitted and heard of', async () => {
  const since = (await api.rpc.chain.getHeader(await api.rpc.chain.getFinalizedHead())).number.toNumber();
  let unsubscribe;
  const heard = new Promise((resolve, reject) => {
    api.rpc.dpki
      .subscribeRevocations(since, (told) => {
        const found = told.revocations.find((it) => it.id.toHex() === anchor);
        if (found) resolve({ told, found });
      })
      .then((stop) => (unsubscribe = stop), reject);
  });

  const alice = new Keyring({ type: 'sr25519' }).addFromUri('//Alice');
  const submitted = new Promise((resolve, reject) => {
    api.tx.dpki
      .revokeAnchor(anchor, 'KeyCompromise')
      .signAndSend(alice, ({ status, dispatchError }) => {
        if (dispatchError) reject(new Error(dispatchError.toString()));
        if (status.isFinalized) resolve(status.asFinalized);
      })
      .catch(reject);
  });

  const block = await submitted;
  const { told, found } = await heard;
  unsubscribe();
  assert.equal(told.blockHash.toHex(), block.toHex());
  assert.equal(found.kind.toString(), 'anchor');
  assert.equal(found.reason.toString(), 'keyCompromise');
  assert.equal(found.owner.unwrap().toHex(), organisation.id);
  const verdict = await api.call.dpkiApi.anchor(anchor);
  assert.ok(verdict.status.isRevoked, verdict.toString());
});

/** The first notification about deliveries from this block on, for this device, that this is true of. */
async function heardOfDeliveries(since, device, isIt) {
  let unsubscribe;
  const heard = await new Promise((resolve, reject) => {
    api.rpc.dpki
      .subscribeDeliveries(since, device, (told) => isIt(told) && resolve(told))
      .then((stop) => (unsubscribe = stop), reject);
  });
  // The first notification comes after the answer that the subscription has begun.
  while (!unsubscribe) await new Promise((next) => setImmediate(next));
  unsubscribe();
  return heard;
}

test('a delivery is heard of by its device and by nobody else', async () => {
  const [device, other] = devices;
  const told = await heardOfDeliveries(1, device, ({ deliveries }) => deliveries.length > 0);
  assert.equal(told.blockNumber.toNumber(), delivery.block);
  assert.equal(told.blockHash.toHex(), (await api.rpc.chain.getBlockHash(delivery.block)).toHex());
  assert.equal(told.deliveries.length, 1);
  const [published] = told.deliveries;
  assert.equal(published.kind.toString(), 'published');
  assert.equal(published.device.toHex(), device);
  assert.equal(published.sequence.toNumber(), 1);
  assert.equal(published.digest.toHex(), delivery.digest);
  assert.equal(published.organisation.unwrap().toHex(), organisation.id);
  assert.ok(published.recipient.isSome && published.length.unwrap().gtn(0));

  const quiet = await heardOfDeliveries(delivery.block, other, () => true);
  assert.deepEqual([quiet.blockNumber.toNumber(), quiet.deliveries.length], [delivery.block, 0]);
});

test('a subscription that cannot begin is refused', async () => {
  assert.equal(await refusal(api.rpc.dpki.subscribeRevocations(1_000_000, () => {})), dpki.refusals.sinceTooFar);
});
