/* policy/keymap.c: see keymap.h. Open addressing in a table of a power of two
 * that is never more than half full. */
#include "policy/keymap.h"

#include <stdlib.h>

enum { SLOTS_MIN = 16, TEXT_MAX = 1 << 30 };

struct keymap_slot {
	uint32_t check; /* of the hash, so that texts are seldom compared */
	uint32_t at;    /* where the key begins in text */
	uint32_t n;     /* how long it is; 0: the slot is free */
	uint32_t value;
};

void keymap_init(struct keymap *m, const uint8_t secret[SIPHASH_KEY_SIZE])
{
	*m = (struct keymap){ .text = BUF_INIT(TEXT_MAX) };
	memcpy(m->secret, secret, sizeof(m->secret));
}

void keymap_release(struct keymap *m)
{
	free(m->slot);
	m->slot = NULL;
	m->n = m->size = 0;
	buf_release(&m->text);
}

/* A name holds no NUL. Empty: too long. */
static struct span join(struct span a, struct span b, char room[KEYMAP_KEY_MAX])
{
	if (a.n >= KEYMAP_KEY_MAX || b.n >= KEYMAP_KEY_MAX - a.n)
		return SPAN_EMPTY;
	memcpy(room, a.p, a.n);
	room[a.n] = '\0';
	memcpy(room + a.n + 1, b.p, b.n);
	return span_make(room, a.n + 1 + b.n);
}

/* Where the key is, or where it would be. */
static struct keymap_slot *place(const struct keymap *m, struct span key,
				 uint64_t hash)
{
	size_t i = hash & (m->size - 1);

	for (;; i = (i + 1) & (m->size - 1)) {
		struct keymap_slot *s = &m->slot[i];

		if (s->n == 0 ||
		    (s->check == hash >> 32 &&
		     span_eq(key, span_make(m->text.p + s->at, s->n))))
			return s;
	}
}

static bool grow(struct keymap *m)
{
	struct keymap old = *m;

	m->size = old.size ? old.size * 2 : SLOTS_MIN;
	m->slot = calloc(m->size, sizeof(*m->slot));
	if (!m->slot) {
		*m = old;
		return false;
	}
	for (size_t i = 0; i < old.size; i++) {
		const struct keymap_slot *s = &old.slot[i];
		struct span key = span_make(m->text.p + s->at, s->n);

		if (s->n > 0)
			*place(m, key, siphash(m->secret, key)) = *s;
	}
	free(old.slot);
	return true;
}

enum keymap_added keymap_add(struct keymap *m, struct span a, struct span b,
			     uint32_t value)
{
	char room[KEYMAP_KEY_MAX];
	struct span key = join(a, b, room);
	struct keymap_slot *s;
	uint64_t hash;

	if (key.n == 0 || (m->n >= m->size / 2 && !grow(m)))
		return KEYMAP_NO_MEMORY;
	hash = siphash(m->secret, key);
	s = place(m, key, hash);
	if (s->n > 0)
		return KEYMAP_TWICE;
	s->at = (uint32_t)m->text.n;
	buf_put_span(&m->text, key);
	if (!buf_ok(&m->text))
		return KEYMAP_NO_MEMORY;
	s->check = (uint32_t)(hash >> 32);
	s->n = (uint32_t)key.n;
	s->value = value;
	m->n++;
	return KEYMAP_ADDED;
}

bool keymap_find(const struct keymap *m, struct span a, struct span b,
		 uint32_t *value_r)
{
	char room[KEYMAP_KEY_MAX];
	const struct keymap_slot *s;
	struct span key;

	if (m->n == 0)
		return false;
	key = join(a, b, room);
	if (key.n == 0)
		return false;
	s = place(m, key, siphash(m->secret, key));
	if (s->n == 0)
		return false;
	*value_r = s->value;
	return true;
}
