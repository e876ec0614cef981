/* policy/keymap.h: a table from names, or pairs of names, to numbers. Pure. */
#ifndef MAILROW_POLICY_KEYMAP_H
#define MAILROW_POLICY_KEYMAP_H

#include "lib/buf.h"
#include "lib/siphash.h"

/* The longest key, both names together. */
enum { KEYMAP_KEY_MAX = 1024 };

struct keymap_slot;
struct keymap {
	uint8_t secret[SIPHASH_KEY_SIZE]; /* so that who may add names cannot
					   * choose such as meet */
	struct keymap_slot *slot;
	size_t n, size;
	struct buf text;
};

enum keymap_added { KEYMAP_ADDED, KEYMAP_TWICE, KEYMAP_NO_MEMORY };

void keymap_init(struct keymap *m, const uint8_t secret[SIPHASH_KEY_SIZE]);
void keymap_release(struct keymap *m);

/* b is empty where the key is one name. KEYMAP_TWICE: it is there already, and
 * stays as it was. A key that is too long is KEYMAP_NO_MEMORY. */
enum keymap_added keymap_add(struct keymap *m, struct span a, struct span b,
			     uint32_t value)
	__attribute__((warn_unused_result));

bool keymap_find(const struct keymap *m, struct span a, struct span b,
		 uint32_t *value_r);

#endif
