/* lib/tlsticket.c: see tlsticket.h. */
#include "lib/tlsticket.h"

#include <string.h>

int64_t tlsticket_next(const struct tlsticket_keys *k)
{
	return k->n ? k->key[0].made + TLSTICKET_TURN_MS : 0;
}

void tlsticket_turn(struct tlsticket_keys *k,
		    const uint8_t seed[TLSTICKET_SEED], int64_t now)
{
	struct tlsticket_key *w = &k->key[0];

	k->key[1] = *w;
	memcpy(w->name, seed, sizeof(w->name));
	memcpy(w->cipher, seed + sizeof(w->name), sizeof(w->cipher));
	memcpy(w->mac, seed + sizeof(w->name) + sizeof(w->cipher),
	       sizeof(w->mac));
	w->made = now;
	k->n = k->n ? 2 : 1;
}

const struct tlsticket_key *tlsticket_writer(const struct tlsticket_keys *k)
{
	return k->n ? &k->key[0] : NULL;
}

const struct tlsticket_key *tlsticket_reader(const struct tlsticket_keys *k,
					     const uint8_t name[TLSTICKET_NAME],
					     int64_t now)
{
	for (size_t i = 0; i < k->n; i++) {
		if (memcmp(k->key[i].name, name, TLSTICKET_NAME) == 0 &&
		    now < k->key[i].made + 2 * (int64_t)TLSTICKET_TURN_MS)
			return &k->key[i];
	}
	return NULL;
}

void tlsticket_wipe(struct tlsticket_keys *k)
{
	explicit_bzero(k, sizeof(*k));
}
