/* lib/tlsticket.h: the keys under which session tickets are written (RFC 5077,
 * RFC 8446 s.4.6.1): one that writes, and the one before it, which is still
 * read. Pure: time and randomness are arguments. */
#ifndef MAILROW_LIB_TLSTICKET_H
#define MAILROW_LIB_TLSTICKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	TLSTICKET_NAME = 16,
	TLSTICKET_KEY = 32,
	TLSTICKET_SEED = TLSTICKET_NAME + 2 * TLSTICKET_KEY,
	TLSTICKET_TURN_MS = 12 * 3600 * 1000 /* a key writes so long */
};

struct tlsticket_key {
	uint8_t name[TLSTICKET_NAME];
	uint8_t cipher[TLSTICKET_KEY];
	uint8_t mac[TLSTICKET_KEY];
	int64_t made;
};

/* Zeroed: none yet. */
struct tlsticket_keys {
	struct tlsticket_key key[2]; /* the first writes */
	size_t n;
};

/* When the next key is to be made: at once when there is none. */
int64_t tlsticket_next(const struct tlsticket_keys *k);

/* A new key of random octets; the one before the present one is wiped. */
void tlsticket_turn(struct tlsticket_keys *k,
		    const uint8_t seed[TLSTICKET_SEED], int64_t now);

/* The key that writes; NULL: none. */
const struct tlsticket_key *tlsticket_writer(const struct tlsticket_keys *k);

/* The key of that name, unless it is too old to be read; NULL: none. */
const struct tlsticket_key *tlsticket_reader(const struct tlsticket_keys *k,
					     const uint8_t name[TLSTICKET_NAME],
					     int64_t now);

void tlsticket_wipe(struct tlsticket_keys *k);

#endif
