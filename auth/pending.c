/* auth/pending.c: open addressing, never more than half full. The keys are
 * hashes already. */
#include "auth/pending.h"

#include <stdlib.h>

enum { PLACES = 2 * PENDING_MAX };

struct pending {
	size_t used;
	struct {
		uint64_t key; /* 0: free */
		unsigned n;
	} place[PLACES];
};

struct pending *pending_new(void)
{
	return calloc(1, sizeof(struct pending));
}

void pending_free(struct pending **t)
{
	free(*t);
	*t = NULL;
}

static size_t home_of(uint64_t key)
{
	return (size_t)(key % PLACES);
}

/* Where it is, or would be. */
static size_t find(const struct pending *t, uint64_t key)
{
	size_t i = home_of(key);

	while (t->place[i].key && t->place[i].key != key)
		i = (i + 1) % PLACES;
	return i;
}

bool pending_add(struct pending *t, uint64_t key)
{
	size_t i = find(t, key);

	if (t->place[i].key == 0) {
		if (t->used == PENDING_MAX)
			return false;
		t->used++;
		t->place[i].key = key;
	}
	t->place[i].n++;
	return true;
}

/* Those behind it that it had pushed on move up, so that they are found. */
static void close_gap(struct pending *t, size_t gap)
{
	for (size_t i = (gap + 1) % PLACES; t->place[i].key;
	     i = (i + 1) % PLACES) {
		size_t home = home_of(t->place[i].key);

		/* it may not go before its home, counted round the end */
		if ((i + PLACES - home) % PLACES < (i + PLACES - gap) % PLACES)
			continue;
		t->place[gap] = t->place[i];
		gap = i;
	}
	t->place[gap].key = 0;
	t->place[gap].n = 0;
}

void pending_drop(struct pending *t, uint64_t key)
{
	size_t i = find(t, key);

	if (t->place[i].key == 0 || --t->place[i].n > 0)
		return;
	t->used--;
	close_gap(t, i);
}

unsigned pending_count(const struct pending *t, uint64_t key)
{
	size_t i = find(t, key);

	return t->place[i].key ? t->place[i].n : 0;
}
