/* Calls everything in the header. The files come from tests/c.rs, in the folder that is the first argument. */

#include "dpki_verifier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                       \
	do {                                                                       \
		if (!(condition)) {                                                    \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);    \
			exit(1);                                                           \
		}                                                                      \
	} while (0)

#define CHECK_RESULT(expected, call)                                           \
	do {                                                                       \
		DpkiResult result = (call);                                            \
		if (result != (expected)) {                                            \
			fprintf(stderr, "%s:%d: %s gives %d\n", __FILE__, __LINE__, #call, \
			        (int)result);                                              \
			exit(1);                                                           \
		}                                                                      \
	} while (0)

static const char *folder;

static DpkiBytes load(const char *name)
{
	char path[4096];
	CHECK(snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path);
	FILE *file = fopen(path, "rb");
	CHECK(file != NULL);
	static uint8_t room[1 << 16];
	size_t len = fread(room, 1, sizeof room, file);
	CHECK(len < sizeof room && fclose(file) == 0);
	/* Exactly as long as it is, so that reading beyond it is noticed by tools. */
	uint8_t *data = malloc(len + !len);
	CHECK(data != NULL);
	memcpy(data, room, len);
	return (DpkiBytes){ data, len };
}

int main(int argc, char **argv)
{
	CHECK(argc == 2);
	folder = argv[1];
	DpkiBytes checkpoint = load("checkpoint"), bundle = load("bundle");
	DpkiBytes device = load("device"), lost = load("lost");
	DpkiBytes good = load("good"), revoked = load("revoked");
	DpkiBytes time_bytes = load("time");
	uint64_t time = 0;
	for (size_t i = 8; i-- > 0;)
		time = time << 8 | time_bytes.data[i];
	DpkiClock clock = { .now_ms = time + 5000, .max_age_ms = 60000 };
	uint8_t next[DPKI_CHECKPOINT_LEN(4)];
	size_t next_len = sizeof next;
	DpkiKey key;
	DpkiBlock block;

	/* A good key. */
	CHECK_RESULT(DPKI_RESULT_OK, dpki_verify_key(checkpoint, bundle, device.data, good.data, &clock, false,
	                                             &key, &block, next, &next_len));
	CHECK(key.status == DPKI_STATUS_VALID && key.key_type == 0 && key.purpose == 0);
	CHECK(key.public_key_len == 32 && key.public_key[0] == 1 && key.public_key[31] == 1);
	CHECK(block.number == 20 && block.time_ms == time);
	CHECK(next_len == checkpoint.len);

	/* From the next checkpoint the same block is good once more, and the first one is not. */
	uint8_t after[sizeof next];
	size_t after_len = sizeof after;
	DpkiBytes at_head = { next, next_len };
	CHECK_RESULT(DPKI_RESULT_OK, dpki_verify_key(at_head, bundle, device.data, good.data, NULL, false, &key,
	                                             NULL, after, &after_len));
	CHECK(after_len == next_len && memcmp(after, next, next_len) == 0);
	after_len = sizeof after;
	CHECK_RESULT(DPKI_RESULT_OLDER_THAN_SEEN,
	             dpki_verify_key(at_head, load("older"), device.data, good.data, &clock, false, &key, NULL,
	                             after, &after_len));

	/* A revoked key, and a key that the chain does not know. */
	next_len = sizeof next;
	CHECK_RESULT(DPKI_RESULT_OK, dpki_verify_key(checkpoint, load("revoked-bundle"), device.data,
	                                             revoked.data, &clock, false, &key, NULL, next, &next_len));
	CHECK(key.status == DPKI_STATUS_REVOKED && key.reason == 1 && key.revoked_at_ms == time - 500);
	next_len = sizeof next;
	CHECK_RESULT(DPKI_RESULT_OK, dpki_verify_key(checkpoint, load("unknown-bundle"), device.data,
	                                             device.data, &clock, false, &key, NULL, next, &next_len));
	CHECK(key.status == DPKI_STATUS_UNKNOWN && key.public_key_len == 0);

	/* A key of another device is not this device's key. */
	next_len = sizeof next;
	CHECK_RESULT(DPKI_RESULT_OK, dpki_verify_key(checkpoint, load("foreign-bundle"), lost.data,
	                                             good.data, &clock, false, &key, NULL, next, &next_len));
	CHECK(key.status == DPKI_STATUS_UNKNOWN && key.public_key_len == 0);

	/* Records under storage keys. */
	uint8_t device_key[DPKI_STORAGE_KEY_LEN], key_key[DPKI_STORAGE_KEY_LEN];
	CHECK_RESULT(DPKI_RESULT_OK, dpki_device_storage_key(device.data, device_key));
	CHECK_RESULT(DPKI_RESULT_OK, dpki_key_storage_key(good.data, key_key));
	DpkiRecord records[2] = {
		{ .key = { key_key, sizeof key_key } },
		{ .key = { device_key, sizeof device_key } },
	};
	next_len = sizeof next;
	CHECK_RESULT(DPKI_RESULT_OK, dpki_verify(checkpoint, bundle, records, 2, &clock, false, &block, next,
	                                         &next_len));
	DpkiBytes key_record = load("key-record");
	CHECK(records[0].present && records[1].present);
	CHECK(records[0].value.len == key_record.len);
	CHECK(memcmp(records[0].value.data, key_record.data, key_record.len) == 0);
	CHECK(records[0].value.data > bundle.data);
	CHECK(records[0].value.data + records[0].value.len <= bundle.data + bundle.len);
	CHECK_RESULT(DPKI_RESULT_OK, dpki_anchor_storage_key(good.data, key_key));

	/* Other keys than asked. */
	next_len = sizeof next;
	CHECK_RESULT(DPKI_RESULT_NODE_SURPLUS, dpki_verify(checkpoint, bundle, records + 1, 1, &clock, false,
	                                                   &block, next, &next_len));
	CHECK_RESULT(DPKI_RESULT_NODE_SURPLUS,
	             dpki_verify(checkpoint, bundle, NULL, 0, &clock, false, NULL, next, &next_len));

	/* The same authorities on another chain, which only the state tells apart. */
	uint8_t genesis_key[DPKI_GENESIS_KEY_LEN];
	CHECK_RESULT(DPKI_RESULT_OK, dpki_genesis_storage_key(genesis_key));
	CHECK_RESULT(DPKI_RESULT_ARGUMENT, dpki_genesis_storage_key(NULL));
	CHECK_RESULT(DPKI_RESULT_OK, dpki_key_storage_key(good.data, key_key));
	DpkiBytes bound = load("bound-bundle"), elsewhere = load("elsewhere-bundle");
	next_len = sizeof next;
	CHECK_RESULT(DPKI_RESULT_OK, dpki_verify_key(checkpoint, bound, device.data, good.data, &clock,
	                                             true, &key, NULL, next, &next_len));
	CHECK(key.status == DPKI_STATUS_VALID);
	CHECK_RESULT(DPKI_RESULT_OTHER_CHAIN,
	             dpki_verify_key(checkpoint, elsewhere, device.data, good.data, &clock, true, &key,
	                             NULL, next, &next_len));
	CHECK_RESULT(DPKI_RESULT_NODE_MISSING,
	             dpki_verify_key(checkpoint, bundle, device.data, good.data, &clock, true, &key, NULL,
	                             next, &next_len));
	DpkiRecord named[3] = { records[0], records[1], { .key = { genesis_key, sizeof genesis_key } } };
	next_len = sizeof next;
	CHECK_RESULT(DPKI_RESULT_OK, dpki_verify(checkpoint, elsewhere, named, 3, &clock, false, NULL,
	                                         next, &next_len));
	CHECK(named[2].present && memcmp(named[2].value.data, checkpoint.data + 1, 32) != 0);
	next_len = sizeof next;
	CHECK_RESULT(DPKI_RESULT_OTHER_CHAIN, dpki_verify(checkpoint, elsewhere, named, 2, &clock, true,
	                                                  NULL, next, &next_len));

	/* Age. */
	clock.now_ms = time + 60001;
	CHECK_RESULT(DPKI_RESULT_STALE, dpki_verify_key(checkpoint, bundle, device.data, good.data,
	                                                &clock, false, &key, NULL, next, &next_len));
	clock.now_ms = 0;
	CHECK_RESULT(DPKI_RESULT_FROM_THE_FUTURE,
	             dpki_verify_key(checkpoint, bundle, device.data, good.data, &clock, false, &key, NULL, next,
	                             &next_len));
	clock.now_ms = time;

	/* A forged header under the real justification, and every cut. */
	CHECK_RESULT(DPKI_RESULT_TARGET_MISMATCH,
	             dpki_verify_key(checkpoint, load("forged"), device.data, good.data, &clock, false, &key,
	                             NULL, next, &next_len));
	for (size_t len = 0; len < bundle.len; len++) {
		DpkiBytes cut = { bundle.data, len };
		CHECK_RESULT(DPKI_RESULT_MALFORMED,
		             dpki_verify_key(checkpoint, cut, device.data, good.data, &clock, false, &key, NULL,
		                             next, &next_len));
	}

	/* Changes and recoveries. */
	next_len = sizeof next;
	CHECK_RESULT(DPKI_RESULT_OK, dpki_advance(checkpoint, load("fragments"), next, &next_len));
	CHECK(next[33] == checkpoint.data[33] + 1);
	next_len = sizeof next;
	CHECK_RESULT(DPKI_RESULT_OK,
	             dpki_recover(checkpoint, load("recovery"), time, next, &next_len));
	DpkiBytes target = load("recovered");
	CHECK(next_len == target.len && memcmp(next, target.data, next_len) == 0);
	CHECK_RESULT(DPKI_RESULT_RECOVERY,
	             dpki_recover(checkpoint, load("recovery"), UINT64_MAX, next, &next_len));

	/* Wrong use. */
	next_len = 10;
	CHECK_RESULT(DPKI_RESULT_BUFFER_TOO_SMALL,
	             dpki_verify_key(checkpoint, bundle, device.data, good.data, &clock, false, &key, NULL, next,
	                             &next_len));
	CHECK(next_len == checkpoint.len);
	DpkiBytes none = { NULL, 0 }, wrong = { NULL, 1 };
	CHECK_RESULT(DPKI_RESULT_MALFORMED, dpki_advance(none, none, next, &next_len));
	CHECK_RESULT(DPKI_RESULT_ARGUMENT, dpki_advance(wrong, none, next, &next_len));
	CHECK_RESULT(DPKI_RESULT_ARGUMENT, dpki_recover(checkpoint, wrong, 0, next, &next_len));
	CHECK_RESULT(DPKI_RESULT_ARGUMENT,
	             dpki_verify(checkpoint, bundle, NULL, 1, &clock, false, NULL, next, &next_len));
	CHECK_RESULT(DPKI_RESULT_ARGUMENT,
	             dpki_verify(checkpoint, bundle, records, 65, &clock, false, NULL, next, &next_len));
	CHECK_RESULT(DPKI_RESULT_ARGUMENT,
	             dpki_verify_key(checkpoint, bundle, NULL, good.data, &clock, false, &key, NULL, next,
	                             &next_len));
	CHECK_RESULT(DPKI_RESULT_ARGUMENT,
	             dpki_verify_key(checkpoint, bundle, device.data, good.data, &clock, false, NULL, NULL, next,
	                             &next_len));
	CHECK_RESULT(DPKI_RESULT_ARGUMENT, dpki_advance(checkpoint, load("fragments"), next, NULL));
	CHECK_RESULT(DPKI_RESULT_ARGUMENT, dpki_device_storage_key(NULL, device_key));

	puts("the C interface holds");
	return 0;
}
