#include "pop3d/clients.h"

#include <stdlib.h>

/* No place: the end of a chain. */
#define NONE UINT32_MAX

/* Of splitmix64; good enough for chains behind a secret seed. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

static uint32_t *pid_bucket(const struct clients *c, pid_t pid)
{
	return &c->by_pid[mix(c->seed ^ (uint64_t)pid) & (c->buckets - 1)];
}

/* What sessions are counted by. */
struct key {
	struct ipaddr a;
	bool network;
};

static struct key key_of_address(const struct ipaddr *a)
{
	return (struct key){ .a = *a };
}

static struct key key_of_network(const struct ipaddr *a)
{
	struct key k = { .network = true };

	memcpy(k.a.octet, a->octet, sizeof(k.a.octet) / 2);
	return k;
}

static uint32_t *address_bucket(const struct clients *c, const struct key *k)
{
	uint64_t half[2];

	memcpy(half, k->a.octet, sizeof(half));
	return &c->by_address[mix(mix(c->seed ^ half[0]) ^ half[1] ^
				  k->network) &
			      (c->buckets - 1)];
}

/* Few: after each fork the first write to a page costs a copy of it. */
static uint32_t buckets_for(size_t max)
{
	uint32_t n = 64;

	while (n < max / 4)
		n *= 2;
	return n;
}

static void free_all_places(struct clients *c)
{
	for (uint32_t i = 0; i < c->buckets; i++)
		c->by_pid[i] = c->by_address[i] = NONE;
	for (uint32_t i = 0; i < c->max; i++)
		c->client[i].next = i + 1;
	for (uint32_t i = 0; i < 2 * c->max; i++)
		c->address[i].next = i + 1;
	c->client[c->max - 1].next = c->address[2 * c->max - 1].next = NONE;
	c->free_client = c->free_address = 0;
}

bool clients_init(struct clients *c, size_t max, uint64_t seed)
{
	*c = (struct clients){ .max = max, .seed = seed };
	if (max == 0 || max > INT32_MAX / 2)
		return false;
	c->buckets = buckets_for(max);
	c->by_pid = calloc(c->buckets, sizeof(*c->by_pid));
	c->by_address = calloc(c->buckets, sizeof(*c->by_address));
	c->client = calloc(max, sizeof(*c->client));
	c->address = calloc(2 * max, sizeof(*c->address));
	if (!c->client || !c->address || !c->by_pid || !c->by_address) {
		clients_release(c);
		return false;
	}
	free_all_places(c);
	return true;
}

void clients_release(struct clients *c)
{
	free(c->client);
	free(c->address);
	free(c->by_pid);
	free(c->by_address);
	*c = (struct clients){ .max = 0 };
}

static bool is_key(const struct client_address *at, const struct key *k)
{
	return at->network == k->network &&
	       memcmp(&at->a, &k->a, sizeof(k->a)) == 0;
}

static uint32_t find_key(const struct clients *c, const struct key *k)
{
	uint32_t i = *address_bucket(c, k);

	while (i != NONE && !is_key(&c->address[i], k))
		i = c->address[i].next;
	return i;
}

/* There are places for an address and a network of each client. */
static uint32_t count_key(struct clients *c, struct key k)
{
	uint32_t *bucket = address_bucket(c, &k);
	uint32_t i = find_key(c, &k);

	if (i == NONE) {
		i = c->free_address;
		c->free_address = c->address[i].next;
		c->address[i] = (struct client_address){
			.a = k.a,
			.network = k.network,
			.next = *bucket,
		};
		*bucket = i;
	}
	c->address[i].sessions++;
	return i;
}

static void uncount(struct clients *c, uint32_t i)
{
	const struct key k = { c->address[i].a, c->address[i].network };
	uint32_t *at = address_bucket(c, &k);

	if (--c->address[i].sessions > 0)
		return;
	while (*at != i)
		at = &c->address[*at].next;
	*at = c->address[i].next;
	c->address[i].next = c->free_address;
	c->free_address = i;
}

bool clients_add(struct clients *c, pid_t pid, const struct ipaddr *a)
{
	uint32_t *bucket = pid_bucket(c, pid);
	uint32_t i = c->free_client;

	if (i == NONE)
		return false;
	c->free_client = c->client[i].next;
	c->client[i] = (struct client){
		.pid = pid,
		.next = *bucket,
		.address = count_key(c, key_of_address(a)),
		.network = ipaddr_is_v4(a) ? NONE
					   : count_key(c, key_of_network(a)),
	};
	*bucket = i;
	c->n++;
	return true;
}

bool clients_remove(struct clients *c, pid_t pid, struct ipaddr *a_r)
{
	uint32_t *at = pid_bucket(c, pid);
	struct client *found;
	uint32_t i;

	while (*at != NONE && c->client[*at].pid != pid)
		at = &c->client[*at].next;
	if (*at == NONE)
		return false;
	i = *at;
	found = &c->client[i];
	*at = found->next;
	*a_r = c->address[found->address].a;
	uncount(c, found->address);
	if (found->network != NONE)
		uncount(c, found->network);
	found->next = c->free_client;
	c->free_client = i;
	c->n--;
	return true;
}

static size_t sessions_of(const struct clients *c, struct key k)
{
	uint32_t i = find_key(c, &k);

	return i == NONE ? 0 : c->address[i].sessions;
}

size_t clients_of(const struct clients *c, const struct ipaddr *a)
{
	return sessions_of(c, key_of_address(a));
}

size_t clients_of_network(const struct clients *c, const struct ipaddr *a)
{
	return ipaddr_is_v4(a) ? 0 : sessions_of(c, key_of_network(a));
}

void clients_each(const struct clients *c,
		  void (*each)(void *, pid_t, const struct ipaddr *), void *arg)
{
	for (uint32_t b = 0; b < c->buckets; b++) {
		for (uint32_t i = c->by_pid[b]; i != NONE;
		     i = c->client[i].next)
			each(arg, c->client[i].pid,
			     &c->address[c->client[i].address].a);
	}
}

struct take_over {
	struct clients to;
	bool failed;
};

static void take_over(void *arg, pid_t pid, const struct ipaddr *a)
{
	struct take_over *t = arg;

	if (!clients_add(&t->to, pid, a))
		t->failed = true;
}

bool clients_resize(struct clients *c, size_t max)
{
	struct take_over t = { .failed = false };

	if (!clients_init(&t.to, max > c->n ? max : c->n, c->seed))
		return false;
	clients_each(c, take_over, &t);
	if (t.failed) {
		clients_release(&t.to);
		return false;
	}
	memcpy(t.to.ban, c->ban, sizeof(t.to.ban));
	t.to.next_ban = c->next_ban;
	clients_release(c);
	*c = t.to;
	return true;
}

void clients_ban(struct clients *c, const struct ipaddr *a, int64_t until)
{
	c->ban[c->next_ban] = (struct client_ban){ .a = *a, .until = until };
	c->next_ban = (c->next_ban + 1) % CLIENTS_BANS;
}

bool clients_banned(const struct clients *c, const struct ipaddr *a,
		    int64_t now)
{
	for (size_t i = 0; i < CLIENTS_BANS; i++) {
		if (c->ban[i].until > now &&
		    memcmp(&c->ban[i].a, a, sizeof(*a)) == 0)
			return true;
	}
	return false;
}
