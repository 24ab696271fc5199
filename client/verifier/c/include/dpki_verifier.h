/* Offline verifier of the device PKI chain. Made by cbindgen from src/lib.rs, see README.md. */

#ifndef DPKI_VERIFIER_H
#define DPKI_VERIFIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for a checkpoint with so many authorities, in bytes. */
#define DPKI_CHECKPOINT_LEN(authorities) (79 + 32 * (size_t)(authorities))


// The length of a storage key of an anchor, a device or a key.
#define DPKI_STORAGE_KEY_LEN 64

// The length of the storage key of the genesis hash.
#define DPKI_GENESIS_KEY_LEN 44

// What became of a call. Numbers never change their meaning.
enum DpkiResult
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // All is well.
  DPKI_RESULT_OK = 0,
  // A pointer is null that must not be, or a count is too large.
  DPKI_RESULT_ARGUMENT = 1,
  // The buffer for the next checkpoint is too small.
  DPKI_RESULT_BUFFER_TOO_SMALL = 2,
  // Some input is malformed.
  DPKI_RESULT_MALFORMED = 10,
  // Some input is of an unknown version: update the firmware.
  DPKI_RESULT_UNKNOWN_VERSION = 11,
  // Some input is larger than allowed.
  DPKI_RESULT_TOO_LARGE = 12,
  // An authority set is empty, names somebody twice, or has weights.
  DPKI_RESULT_AUTHORITY_SET = 20,
  // The changes of the authority set and the head are out of order, or a change is missing.
  DPKI_RESULT_OUT_OF_ORDER = 21,
  // A forced, delayed or unknown change of the authority set: a recovery is needed.
  DPKI_RESULT_CHANGE = 22,
  // The head is older than one seen before.
  DPKI_RESULT_OLDER_THAN_SEEN = 23,
  // The head contradicts one seen before.
  DPKI_RESULT_CONFLICTS_WITH_SEEN = 24,
  // The justification is for another block.
  DPKI_RESULT_TARGET_MISMATCH = 30,
  // Too few authorities have signed.
  DPKI_RESULT_TOO_FEW_VOTES = 31,
  // Somebody else has signed: fetch the changes since the checkpoint.
  DPKI_RESULT_UNKNOWN_AUTHORITY = 32,
  // An authority has signed twice.
  DPKI_RESULT_REPEATED_VOTE = 33,
  // The votes do not belong to the block, or the headers between them do not.
  DPKI_RESULT_ANCESTRY = 34,
  // A signature is wrong, or for another authority set.
  DPKI_RESULT_BAD_SIGNATURE = 35,
  // The storage proof is incomplete, or for other keys.
  DPKI_RESULT_NODE_MISSING = 40,
  // The storage proof has more than was asked for.
  DPKI_RESULT_NODE_SURPLUS = 41,
  // The state has no time, or is that of another chain.
  DPKI_RESULT_OTHER_CHAIN = 42,
  // The block is too old.
  DPKI_RESULT_STALE = 50,
  // The block is ahead of the clock.
  DPKI_RESULT_FROM_THE_FUTURE = 51,
  // The recovery has expired, is good for too long, or does not lead forward.
  DPKI_RESULT_RECOVERY = 60,
  // Something else was refused.
  DPKI_RESULT_OTHER = 99,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum DpkiResult DpkiResult;
#else
typedef int32_t DpkiResult;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// The verdict about a record. Only `VALID` is a yes.
enum DpkiStatus
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // The chain holds no such record.
  DPKI_STATUS_UNKNOWN = 0,
  // It may be relied on now.
  DPKI_STATUS_VALID = 1,
  // Its time has not come.
  DPKI_STATUS_NOT_YET_VALID = 2,
  // Its time is over.
  DPKI_STATUS_EXPIRED = 3,
  // It is on hold.
  DPKI_STATUS_SUSPENDED = 4,
  // It was revoked.
  DPKI_STATUS_REVOKED = 5,
  // A newer one took its place.
  DPKI_STATUS_SUPERSEDED = 6,
  // Something that it depends on was revoked.
  DPKI_STATUS_ISSUER_REVOKED = 7,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum DpkiStatus DpkiStatus;
#else
typedef int32_t DpkiStatus;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// Bytes of the caller. `data` may be null if `len` is 0.
typedef struct {
  // Where they begin.
  const uint8_t *data;
  // How many there are.
  size_t len;
} DpkiBytes;

// A storage key, and what was proven about it.
typedef struct {
  // In: the storage key.
  DpkiBytes key;
  // Out: the value, inside the bundle.
  DpkiBytes value;
  // Out: whether there is a value. If not, its absence was proven.
  bool present;
} DpkiRecord;

// How old an answer may be.
typedef struct {
  // What the clock shows: milliseconds since the Unix epoch.
  uint64_t now_ms;
  // How far the block may lie behind it, in milliseconds.
  uint64_t max_age_ms;
} DpkiClock;

// A verified block.
typedef struct {
  // Its number.
  uint32_t number;
  // Its hash.
  uint8_t hash[32];
  // The chain time in it: milliseconds since the Unix epoch.
  uint64_t time_ms;
} DpkiBlock;

// A key of a device.
typedef struct {
  // The verdict. Only `DPKI_STATUS_VALID` is a yes.
  DpkiStatus status;
  // The reason of a revocation as in RFC 5280 section 5.3.1; 0 if there is none.
  uint8_t reason;
  // Since when it is revoked, in milliseconds since the Unix epoch; 0 if it is not.
  uint64_t revoked_at_ms;
  // The algorithm: 0 Ed25519, 1 sr25519, 2 secp256k1, 3 P-256, 4 X25519, 5 RSA; and by the SHA2-256 of the public key:
  // 6 ML-DSA-44, 7 ML-DSA-65, 8 ML-DSA-87, 9 X-Wing.
  uint8_t key_type;
  // What it is for: 0 signing, 1 key agreement, 2 TLS, 3 SSH.
  uint8_t purpose;
  // How many bytes the public key has; 0 if the chain does not know the key.
  uint16_t public_key_len;
  // The public key. That of RSA-4096 is the longest.
  uint8_t public_key[526];
} DpkiKey;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Proves what lies under storage keys.
//
// `clock` may be null for a device without one: then nothing older than the checkpoint is accepted, and no more is
// checked. `bind_genesis` has the state say which chain it is of: GRANDPA's signatures do not, so that without it the block
// of another chain passes if the same authorities run that with the same keys. The bundle then has to answer the key of
// `dpki_genesis_storage_key` too, which is up to two kilobytes more. `block` may be null. `*next_len` holds the size of
// `next` and receives the length of the next checkpoint.
//
// # Safety
//
// All pointers have to be valid for their lengths, and what is written to must not overlap with anything else.
DpkiResult dpki_verify(DpkiBytes checkpoint,
                       DpkiBytes bundle,
                       DpkiRecord *records,
                       size_t record_count,
                       const DpkiClock *clock,
                       bool bind_genesis,
                       DpkiBlock *block,
                       uint8_t *next,
                       size_t *next_len);

// Proves one key of a device and gives the verdict about it.
//
// `device` and `key` are ids of 32 bytes. A key that the chain does not know, or that belongs to another device, is an
// answer too: its status is `DPKI_STATUS_UNKNOWN`. See `dpki_verify` for the rest.
//
// # Safety
//
// All pointers have to be valid for their lengths, and what is written to must not overlap with anything else.
DpkiResult dpki_verify_key(DpkiBytes checkpoint,
                           DpkiBytes bundle,
                           const uint8_t *device,
                           const uint8_t *key,
                           const DpkiClock *clock,
                           bool bind_genesis,
                           DpkiKey *found,
                           DpkiBlock *block,
                           uint8_t *next,
                           size_t *next_len);

// Follows changes of the authority set.
//
// # Safety
//
// All pointers have to be valid for their lengths, and what is written to must not overlap with anything else.
DpkiResult dpki_advance(DpkiBytes checkpoint,
                        DpkiBytes fragments,
                        uint8_t *next,
                        size_t *next_len);

// Goes on from a new checkpoint that the pinned authorities have signed. `now_ms` is what the clock shows: milliseconds
// since the Unix epoch.
//
// # Safety
//
// All pointers have to be valid for their lengths, and what is written to must not overlap with anything else.
DpkiResult dpki_recover(DpkiBytes checkpoint,
                        DpkiBytes recovery,
                        uint64_t now_ms,
                        uint8_t *next,
                        size_t *next_len);

// Writes the storage key of the anchor with this id of 32 bytes to `out`, 64 bytes.
//
// # Safety
//
// Both pointers have to be valid for these lengths.
DpkiResult dpki_anchor_storage_key(const uint8_t *anchor, uint8_t *out);

// Writes the storage key of the device with this id of 32 bytes to `out`, 64 bytes.
//
// # Safety
//
// Both pointers have to be valid for these lengths.
DpkiResult dpki_device_storage_key(const uint8_t *device, uint8_t *out);

// Writes the storage key of the key with this id of 32 bytes to `out`, 64 bytes.
//
// # Safety
//
// Both pointers have to be valid for these lengths.
DpkiResult dpki_key_storage_key(const uint8_t *key, uint8_t *out);

// Writes the storage key of the hash of the chain's first block to `out`, 44 bytes.
//
// # Safety
//
// The pointer has to be valid for this length.
DpkiResult dpki_genesis_storage_key(uint8_t *out);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* DPKI_VERIFIER_H */
