#include "pop3d/poplist.h"

#include <stdlib.h>

enum { FIRST_SIZE = 64 };

void poplist_release(struct poplist *l)
{
	free(l->mail);
	free(l->text);
	*l = (struct poplist)POPLIST_INIT;
}

/* Room for need elements of width octets in *p, which holds *size. */
static bool make_room(void **p, size_t *size, size_t need, size_t width)
{
	size_t size_new = *size ? *size : FIRST_SIZE, octets;
	void *moved;

	if (need <= *size)
		return true;
	while (size_new < need) {
		if (__builtin_mul_overflow(size_new, 2, &size_new))
			return false;
	}
	if (__builtin_mul_overflow(size_new, width, &octets))
		return false;
	moved = realloc(*p, octets);
	if (!moved)
		return false;
	*p = moved;
	*size = size_new;
	return true;
}

bool poplist_reserve(struct poplist *l, size_t n, size_t text)
{
	void *mail = l->mail, *uidls = l->text;
	bool ok;

	if (text > UINT32_MAX - l->text_n)
		return false;
	ok = make_room(&mail, &l->size, l->n + n, sizeof(*l->mail));
	l->mail = mail;
	ok = ok && make_room(&uidls, &l->text_size, l->text_n + text, 1);
	l->text = uidls;
	return ok;
}

bool poplist_add(struct poplist *l, uint64_t uid, uint64_t octets,
		 struct span uidl)
{
	uint64_t total;

	if (uidl.n == 0 || uidl.n > UINT8_MAX ||
	    __builtin_add_overflow(l->octets, octets, &total) ||
	    !poplist_reserve(l, 1, uidl.n + 1))
		return false;
	l->mail[l->n++] = (struct poplist_mail){
		.uid = uid,
		.octets = octets,
		.uidl = (uint32_t)l->text_n,
	};
	l->text[l->text_n] = (char)(unsigned char)uidl.n;
	memcpy(l->text + l->text_n + 1, uidl.p, uidl.n);
	l->text_n += uidl.n + 1;
	l->octets = total;
	l->live_octets += octets;
	l->live_n++;
	return true;
}

struct span poplist_uidl(const struct poplist *l, size_t i)
{
	const char *p = l->text + l->mail[i].uidl;

	return span_make(p + 1, (unsigned char)*p);
}

void poplist_delete(struct poplist *l, size_t i)
{
	struct poplist_mail *m = &l->mail[i];

	if (m->deleted)
		return;
	m->deleted = true;
	l->live_n--;
	l->live_octets -= m->octets;
}

void poplist_undelete_all(struct poplist *l)
{
	for (size_t i = 0; i < l->n; i++)
		l->mail[i].deleted = false;
	l->live_n = l->n;
	l->live_octets = l->octets;
}

size_t poplist_take_deleted(const struct poplist *l, size_t *at, uint64_t *uid,
			    size_t max)
{
	size_t n = 0;

	for (; *at < l->n && n < max; ++*at) {
		if (l->mail[*at].deleted)
			uid[n++] = l->mail[*at].uid;
	}
	return n;
}

size_t poplist_next_live(const struct poplist *l, size_t i)
{
	while (i < l->n && l->mail[i].deleted)
		i++;
	return i;
}
