/* policy/underway.c: see underway.h. */
#include "policy/underway.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"

/* Numbers of mailboxes follow one another, so they spread by themselves. */
enum { CHAINS = 1024 };

struct box_held {
	struct box_held *next;
	uint64_t mailbox_id;
	uint64_t octets;
	unsigned mails;
};

struct underway {
	pthread_mutex_t lock;
	struct box_held *chain[CHAINS];
	size_t n;
};

struct underway *underway_new(void)
{
	struct underway *f = calloc(1, sizeof(*f));

	if (f && pthread_mutex_init(&f->lock, NULL) != 0) {
		free(f);
		f = NULL;
	}
	return f;
}

void underway_free(struct underway **f)
{
	if (!*f)
		return;
	for (size_t i = 0; i < CHAINS; i++) {
		struct box_held *b = (*f)->chain[i], *next;

		for (; b; b = next) {
			next = b->next;
			free(b);
		}
	}
	(void)pthread_mutex_destroy(&(*f)->lock);
	free(*f);
	*f = NULL;
}

/* Where it stands, or would. */
static struct box_held **find(struct underway *f, uint64_t mailbox_id)
{
	struct box_held **at = &f->chain[mailbox_id % CHAINS];

	while (*at && (*at)->mailbox_id != mailbox_id)
		at = &(*at)->next;
	return at;
}

uint64_t underway_octets(struct underway *f, uint64_t mailbox_id)
{
	const struct box_held *b;
	uint64_t octets;

	(void)pthread_mutex_lock(&f->lock);
	b = *find(f, mailbox_id);
	octets = b ? b->octets : 0;
	(void)pthread_mutex_unlock(&f->lock);
	return octets;
}

/* With the lock held. NULL: not counted. */
static struct box_held *box_get(struct underway *f, uint64_t mailbox_id)
{
	struct box_held **at = find(f, mailbox_id);

	if (*at || f->n == UNDERWAY_BOXES_MAX)
		return *at;
	*at = calloc(1, sizeof(**at));
	if (!*at)
		return NULL;
	(*at)->mailbox_id = mailbox_id;
	f->n++;
	return *at;
}

static void box_drop_if_empty(struct underway *f, uint64_t mailbox_id)
{
	struct box_held **at = find(f, mailbox_id), *b = *at;

	if (!b || b->mails > 0)
		return;
	*at = b->next;
	free(b);
	f->n--;
}

enum hold { HELD, NO_ROOM, NOT_COUNTED };

static enum hold hold(struct underway *f, const struct held *h, uint64_t room)
{
	struct box_held *b;
	uint64_t sum;
	enum hold r = NOT_COUNTED;

	(void)pthread_mutex_lock(&f->lock);
	b = box_get(f, h->mailbox_id);
	if (b && (__builtin_add_overflow(b->octets, h->octets, &sum) ||
		  sum > room)) {
		r = NO_ROOM;
		box_drop_if_empty(f, h->mailbox_id);
	} else if (b) {
		r = HELD;
		b->octets = sum;
		b->mails++;
	}
	(void)pthread_mutex_unlock(&f->lock);
	return r;
}

static void give_back(struct underway *f, const struct held *h)
{
	struct box_held *b;

	(void)pthread_mutex_lock(&f->lock);
	b = *find(f, h->mailbox_id);
	if (b) {
		b->octets -= h->octets;
		b->mails--;
		box_drop_if_empty(f, h->mailbox_id);
	}
	(void)pthread_mutex_unlock(&f->lock);
}

bool holding_has(const struct holding *h, uint64_t mailbox_id)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->held[i].mailbox_id == mailbox_id)
			return true;
	return false;
}

bool holding_add(struct holding *h, struct underway *f, uint64_t mailbox_id,
		 uint64_t octets, uint64_t room)
{
	const struct held one = { mailbox_id, octets };
	struct held *all =
		array_grow(h->held, h->n, &h->size, sizeof(*h->held));

	if (!all)
		return true;
	h->held = all;
	h->of = f;
	switch (hold(f, &one, room)) {
	case NO_ROOM:
		return false;
	case HELD:
		h->held[h->n++] = one;
		break;
	case NOT_COUNTED:
		break;
	}
	return true;
}

void holding_release(struct holding *h)
{
	for (size_t i = 0; i < h->n; i++)
		give_back(h->of, &h->held[i]);
	free(h->held);
	memset(h, 0, sizeof(*h));
}
