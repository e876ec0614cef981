/* pop3d/keeperlimits.c: see keeperlimits.h. */
#include "pop3d/keeperlimits.h"

#include <stdlib.h>
#include <sys/random.h>

#include "lib/esc.h"
#include "lib/log.h"
#include "lib/metric.h"

bool keeperlimits_init(struct keeperlimits *l, const struct conf *c)
{
	memset(l, 0, sizeof(*l));
	if (getrandom(&l->seed, sizeof(l->seed), 0) != (ssize_t)sizeof(l->seed))
		return false;
	return clients_init(&l->peers, c->pop3_max_sessions, l->seed);
}

void keeperlimits_release(struct keeperlimits *l)
{
	clients_release(&l->peers);
	for (size_t i = 0; i < KEEPERLIMITS_BUCKETS; i++) {
		while (l->bucket[i]) {
			struct keeperaccount *a = l->bucket[i];

			l->bucket[i] = a->next;
			free(a);
		}
	}
}

void keeperlimits_reload(struct keeperlimits *l, const struct conf *c)
{
	if (!clients_resize(&l->peers, c->pop3_max_sessions))
		log_warn("cannot take the new pop3_max_sessions: out of "
			 "memory");
}

static bool too_many(struct grudge *g, const char *option, const char *who)
{
	metric_add_named(M_REFUSED, option);
	grudge_warn(g, "too many sessions: %s reached by %s", option, who);
	return false;
}

bool keeperlimits_add_peer(struct keeperlimits *l, const struct conf *c,
			   uint32_t n, const struct ipaddr *a)
{
	char text[IPADDR_TEXT_MAX];

	if (clients_of(&l->peers, a) >= c->pop3_max_per_address)
		return too_many(&l->address, "pop3_max_per_address",
				ipaddr_text(a, text));
	if (clients_of_network(&l->peers, a) >= c->pop3_max_per_network)
		return too_many(&l->network, "pop3_max_per_network",
				ipaddr_text(a, text));
	return clients_add(&l->peers, (pid_t)n, a);
}

void keeperlimits_remove_peer(struct keeperlimits *l, uint32_t n)
{
	struct ipaddr a;

	if (!clients_remove(&l->peers, (pid_t)n, &a))
		log_panic("a session of no address ends");
}

/* FNV-1a behind a secret start; authd made the names, no stranger did. */
static struct keeperaccount **bucket_of(struct keeperlimits *l,
					struct span name)
{
	uint64_t h = l->seed ^ 0xcbf29ce484222325;

	for (size_t i = 0; i < name.n; i++)
		h = (h ^ (uint8_t)name.p[i]) * 0x100000001b3;
	return &l->bucket[(h ^ h >> 32) % KEEPERLIMITS_BUCKETS];
}

static struct keeperaccount *account_new(struct keeperaccount **bucket,
					 struct span name)
{
	struct keeperaccount *a = malloc(sizeof(*a) + name.n + 1);

	if (!a)
		return NULL;
	a->sessions = 0;
	a->ask_at = 0;
	memcpy(a->name, name.p, name.n);
	a->name[name.n] = '\0';
	a->next = *bucket;
	*bucket = a;
	return a;
}

struct keeperaccount *keeperlimits_join(struct keeperlimits *l,
					const struct conf *c, struct span name)
{
	struct keeperaccount **bucket = bucket_of(l, name), *a = *bucket;
	struct esc_text text;

	while (a && !span_is(name, a->name))
		a = a->next;
	if (a && a->sessions >= c->pop3_max_per_account) {
		(void)too_many(&l->account, "pop3_max_per_account",
			       esc_text(&text, name));
		return NULL;
	}
	if (!a)
		a = account_new(bucket, name);
	if (a)
		a->sessions++;
	return a;
}

void keeperlimits_leave(struct keeperlimits *l, struct keeperaccount **ap)
{
	struct keeperaccount *a = *ap, **at;

	*ap = NULL;
	if (!a || --a->sessions > 0)
		return;
	at = bucket_of(l, span_of(a->name));
	while (*at != a)
		at = &(*at)->next;
	*at = a->next;
	free(a);
}
