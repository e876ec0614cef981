#include "pop3d/logindelay.h"

#include <stdlib.h>

void logindelay_release(struct logindelay *d)
{
	free(d->place);
	d->place = NULL;
}

/* FNV-1a, 64 bits: two mailboxes with one key are not to be expected. */
uint64_t logindelay_key(struct span mailbox)
{
	uint64_t h = 0xcbf29ce484222325;

	for (size_t i = 0; i < mailbox.n; i++) {
		h ^= (unsigned char)mailbox.p[i];
		h *= 0x100000001b3;
	}
	return h ? h : 1;
}

/* The places that key may take. */
static struct logindelay_place *places(const struct logindelay *d, uint64_t key)
{
	uint64_t group =
		(key ^ key >> 32) % (LOGINDELAY_PLACES / LOGINDELAY_TOGETHER);

	return d->place + group * LOGINDELAY_TOGETHER;
}

bool logindelay_is_early(const struct logindelay *d, uint64_t key, int64_t now,
			 int64_t delay)
{
	const struct logindelay_place *p;

	if (!d->place)
		return false;
	p = places(d, key);
	for (size_t i = 0; i < LOGINDELAY_TOGETHER; i++) {
		if (p[i].key == key)
			return now - p[i].at < delay;
	}
	return false;
}

void logindelay_note(struct logindelay *d, uint64_t key, int64_t now)
{
	struct logindelay_place *p, *to;

	if (!d->place)
		d->place = calloc(LOGINDELAY_PLACES, sizeof(*d->place));
	if (!d->place)
		return;
	to = p = places(d, key);
	for (size_t i = 0; i < LOGINDELAY_TOGETHER; i++) {
		if (p[i].key == key) {
			to = &p[i];
			break;
		}
		if (p[i].key == 0 || (to->key && p[i].at < to->at))
			to = &p[i];
	}
	*to = (struct logindelay_place){ .key = key, .at = now };
}
