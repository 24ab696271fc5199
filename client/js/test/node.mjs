// SPDX-License-Identifier: Apache-2.0

/** What the end-to-end test has prepared: a node of a development chain, on which //Alice manages two SSH CAs. */

function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: these tests are run by client/e2e/tests/e2e/javascript.rs`);
  return value;
}

/** Where the node listens. */
export const url = required('DPKI_URL');
/** The genesis hash of its chain. */
export const genesis = required('DPKI_GENESIS');
/** The name of the organisation, and its id. */
export const organisation = { name: 'acme', id: required('DPKI_ORGANISATION') };
/** The ids of two anchors, one to be revoked by each test. */
export const anchors = required('DPKI_ANCHORS').split(',');

/** An id that nothing has. */
export const nobody = `0x${'77'.repeat(32)}`;
