/* policy/netmap.c: see netmap.h. Prefixes either lie in one another or do not
 * meet. Sorted by their first address, the outer before the inner, each knows
 * the next outer one: the last that begins at or before an address is the
 * innermost one with it, or lies within that. */
#include "policy/netmap.h"

#include "lib/array.h"

#define NO_OUTER UINT32_MAX

struct netmap_entry {
	struct ipaddr base;
	uint32_t outer; /* the entry around it, or NO_OUTER */
	uint8_t bits;
	uint8_t kind;
};

static const char *const names[] = {
	[NETWORK_PLAIN] = "plain",     [NETWORK_TRUSTED] = "trusted",
	[NETWORK_WEBMAIL] = "webmail", [NETWORK_PARTNER] = "partner",
	[NETWORK_BLOCKED] = "blocked",
};

const char *network_kind_name(enum network_kind k)
{
	return names[k];
}

bool network_kind_find(struct span name, enum network_kind *k_r)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (span_is(name, names[i])) {
			*k_r = (enum network_kind)i;
			return true;
		}
	return false;
}

bool netmap_add(struct netmap *m, const struct network *n, enum network_kind k)
{
	struct netmap_entry *e;

	if (m->n == NO_OUTER)
		return false;
	e = array_grow(m->entry, m->n, &m->size, sizeof(*e));
	if (!e)
		return false;
	m->entry = e;
	m->entry[m->n++] = (struct netmap_entry){ .base = n->base,
						  .outer = NO_OUTER,
						  .bits = (uint8_t)n->bits,
						  .kind = (uint8_t)k };
	return true;
}

static int compare(const void *a, const void *b)
{
	const struct netmap_entry *x = a, *y = b;
	int c = memcmp(x->base.octet, y->base.octet, sizeof(x->base.octet));

	return c ? c : (int)x->bits - (int)y->bits;
}

static struct network network_of(const struct netmap_entry *e)
{
	return (struct network){ .base = e->base, .bits = e->bits };
}

static bool has(const struct netmap_entry *e, const struct ipaddr *a)
{
	struct network n = network_of(e);

	return network_has(&n, a);
}

bool netmap_finish(struct netmap *m, struct network *twice_r)
{
	uint32_t around = NO_OUTER;

	if (m->n == 0)
		return true;
	qsort(m->entry, m->n, sizeof(*m->entry), compare);
	for (size_t i = 0; i < m->n; i++) {
		struct netmap_entry *e = &m->entry[i];

		if (i > 0 && compare(e - 1, e) == 0) {
			*twice_r = network_of(e);
			return false;
		}
		while (around != NO_OUTER && !has(&m->entry[around], &e->base))
			around = m->entry[around].outer;
		e->outer = around;
		around = (uint32_t)i;
	}
	return true;
}

/* How many begin at or before the address. */
static size_t begun(const struct netmap *m, const struct ipaddr *a)
{
	size_t low = 0, high = m->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (memcmp(m->entry[mid].base.octet, a->octet,
			   sizeof(a->octet)) <= 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

bool netmap_find(const struct netmap *m, const struct ipaddr *a,
		 enum network_kind *k_r, struct network *net_r)
{
	size_t n = begun(m, a);
	uint32_t i = n > 0 ? (uint32_t)(n - 1) : NO_OUTER;

	*k_r = NETWORK_PLAIN;
	while (i != NO_OUTER && !has(&m->entry[i], a))
		i = m->entry[i].outer;
	if (i == NO_OUTER)
		return false;
	*k_r = (enum network_kind)m->entry[i].kind;
	if (net_r)
		*net_r = network_of(&m->entry[i]);
	return true;
}

void netmap_release(struct netmap *m)
{
	free(m->entry);
	*m = (struct netmap){ .n = 0 };
}
