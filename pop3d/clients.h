/* pop3d/clients.h: the running sessions by number (of their process, or what
 * else tells them apart), by address and by IPv6 network of 64 bits, and the
 * addresses that are rejected for a while. All in constant time, and without
 * memory beyond what clients_init() took. Pure. */
#ifndef MAILROW_POP3D_CLIENTS_H
#define MAILROW_POP3D_CLIENTS_H

#include "lib/network.h"

#include <sys/types.h>

enum { CLIENTS_BANS = 64 };

/* A place in a table; next leads on through a chain or the free places. */
struct client {
	pid_t pid;
	uint32_t next;
	uint32_t address; /* its place in the other table */
	uint32_t network; /* likewise, of an IPv6 address */
};

/* An address, or a network: the low half of the address is 0. */
struct client_address {
	struct ipaddr a;
	bool network;
	uint32_t next;
	uint32_t sessions;
};

struct client_ban {
	struct ipaddr a;
	int64_t until;
};

struct clients {
	size_t max, n;
	uint32_t buckets; /* a power of 2 */
	uint64_t seed;
	struct client *client;
	struct client_address *address;
	uint32_t *by_pid, *by_address;
	uint32_t free_client, free_address;
	struct client_ban ban[CLIENTS_BANS];
	size_t next_ban;
};

/* seed: random, so that nobody chooses addresses that collide. */
bool clients_init(struct clients *c, size_t max, uint64_t seed)
	__attribute__((warn_unused_result));
void clients_release(struct clients *c);

/* Another maximum, at least what is there. False: no memory, c as before. */
bool clients_resize(struct clients *c, size_t max)
	__attribute__((warn_unused_result));

/* False when the table is full. */
bool clients_add(struct clients *c, pid_t pid, const struct ipaddr *a)
	__attribute__((warn_unused_result));

/* False when there is no such process; else its address. */
bool clients_remove(struct clients *c, pid_t pid, struct ipaddr *a_r)
	__attribute__((warn_unused_result));

size_t clients_of(const struct clients *c, const struct ipaddr *a);

/* Of all addresses in the /64 of an IPv6 address; of an IPv4 address 0. */
size_t clients_of_network(const struct clients *c, const struct ipaddr *a);

/* Calls each(arg, pid, address) for all. */
void clients_each(const struct clients *c,
		  void (*each)(void *, pid_t, const struct ipaddr *),
		  void *arg);

/* With more than CLIENTS_BANS addresses at once the oldest is forgotten. */
void clients_ban(struct clients *c, const struct ipaddr *a, int64_t until);
bool clients_banned(const struct clients *c, const struct ipaddr *a,
		    int64_t now);

#endif
