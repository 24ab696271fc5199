// SPDX-License-Identifier: Apache-2.0

/**
 * What the end-to-end test has prepared: a node of a development chain, whose authorities have changed once, and on which
 * //Alice manages two SSH CAs and has delivered something to one of two devices.
 */

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
/** The number of the block at which the authorities changed. */
export const change = Number(required('DPKI_CHANGE'));
/** The ids of two devices; the first has got a delivery. */
export const devices = required('DPKI_DEVICES').split(',');
/** The SHA2-256 of that delivery, and the number of the finalised block in which it was published. */
export const delivery = { digest: required('DPKI_DIGEST'), block: Number(required('DPKI_PUBLISHED')) };

/** An id that nothing has. */
export const nobody = `0x${'77'.repeat(32)}`;
