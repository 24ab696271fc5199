// SPDX-License-Identifier: Apache-2.0

/**
 * The methods `dpki_*` of a node of the device PKI chain, in the form that polkadot.js takes:
 *
 *     import { ApiPromise, WsProvider } from '@polkadot/api';
 *     import * as dpki from './definitions.js';
 *     const api = await ApiPromise.create({ provider: new WsProvider(url), ...dpki });
 *     await api.rpc.dpki.bundle([storageKey]);
 *
 * Everything else (storage, calls, events, `DpkiApi`) polkadot.js reads from the metadata of the chain.
 */

const since = {
  name: 'since',
  type: 'u32',
  isOptional: true,
};

export const rpc = {
  dpki: {
    bundle: {
      description: 'Proves what lies under storage keys in the newest finalised block, for dpki-verifier',
      params: [
        { name: 'keys', type: 'Vec<Bytes>' },
        { name: 'checkpoint', type: 'Hash', isOptional: true },
      ],
      type: 'DpkiBundle',
    },
    warpFragments: {
      description: 'The changes of the authority set after a block, oldest first, for dpki-verifier',
      params: [{ name: 'from', type: 'Hash', isOptional: true }],
      type: 'DpkiFragments',
    },
    subscribeRevocations: {
      description: 'What is revoked, beginning with block `since`, itself included',
      params: [since],
      pubsub: ['revocations', 'subscribeRevocations', 'unsubscribeRevocations'],
      type: 'DpkiBlockRevocations',
    },
    subscribeDeliveries: {
      description: 'What happens to deliveries, beginning with block `since`, itself included',
      params: [since, { name: 'device', type: 'Hash', isOptional: true }],
      pubsub: ['deliveries', 'subscribeDeliveries', 'unsubscribeDeliveries'],
      type: 'DpkiBlockDeliveries',
    },
  },
};

export const types = {
  DpkiBundle: {
    blockNumber: 'u32',
    blockHash: 'Hash',
    bundle: 'Bytes',
  },
  DpkiFragments: {
    count: 'u32',
    last: 'Hash',
    isFinished: 'bool',
    fragments: 'Bytes',
  },
  DpkiRevocation: {
    index: 'u32',
    kind: 'Text',
    id: 'Hash',
    owner: 'Option<Hash>',
    reason: 'Text',
    subject: 'Option<Bytes>',
  },
  DpkiBlockRevocations: {
    blockNumber: 'u32',
    blockHash: 'Hash',
    revocations: 'Vec<DpkiRevocation>',
  },
  DpkiDelivery: {
    index: 'u32',
    kind: 'Text',
    device: 'Hash',
    channel: 'u8',
    sequence: 'u64',
    digest: 'Hash',
    organisation: 'Option<Hash>',
    recipient: 'Option<Hash>',
    length: 'Option<u32>',
  },
  DpkiBlockDeliveries: {
    blockNumber: 'u32',
    blockHash: 'Hash',
    deliveries: 'Vec<DpkiDelivery>',
  },
};

/** Codes of the JSON-RPC errors with which a request is refused. They stay. */
export const refusals = Object.freeze({
  internal: 18000,
  nothingFinal: 18001,
  tooManyKeys: 18002,
  keyLength: 18003,
  answerTooLong: 18004,
  unknownBlock: 18005,
  ahead: 18006,
  tooManyChanges: 18007,
  forcedChange: 18008,
  changeNotStored: 18009,
  pruned: 18010,
  sinceTooFar: 18011,
  tooManySubscriptions: 18012,
  runtimeTooNew: 18013,
});
