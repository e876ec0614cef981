#include "lib/siphash.h"

struct state {
	uint64_t v[4];
};

static uint64_t rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

/* n octets, the first the lowest. */
static uint64_t word(const uint8_t *p, size_t n)
{
	uint64_t w = 0;

	for (size_t i = 0; i < n; i++)
		w |= (uint64_t)p[i] << (8 * i);
	return w;
}

static void half_round(uint64_t *a, uint64_t *b, unsigned bits)
{
	*a += *b;
	*b = rotate(*b, bits) ^ *a;
}

static void rounds(struct state *s, unsigned n)
{
	uint64_t *v = s->v;

	while (n--) {
		half_round(&v[0], &v[1], 13);
		half_round(&v[2], &v[3], 16);
		v[0] = rotate(v[0], 32);
		half_round(&v[2], &v[1], 17);
		half_round(&v[0], &v[3], 21);
		v[2] = rotate(v[2], 32);
	}
}

static void take(struct state *s, uint64_t w)
{
	s->v[3] ^= w;
	rounds(s, 2);
	s->v[0] ^= w;
}

uint64_t siphash(const uint8_t key[SIPHASH_KEY_SIZE], struct span s)
{
	const uint8_t *p = (const uint8_t *)s.p;
	const uint64_t k0 = word(key, 8), k1 = word(key + 8, 8);
	struct state t = { { k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d,
			     k0 ^ 0x6c7967656e657261,
			     k1 ^ 0x7465646279746573 } };
	size_t left = s.n;

	for (; left >= 8; left -= 8, p += 8)
		take(&t, word(p, 8));
	take(&t, word(p, left) | (uint64_t)s.n << 56);
	t.v[2] ^= 0xff;
	rounds(&t, 4);
	return t.v[0] ^ t.v[1] ^ t.v[2] ^ t.v[3];
}
