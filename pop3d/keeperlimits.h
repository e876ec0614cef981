/* pop3d/keeperlimits.h: the limits that the parent cannot hold: sessions of an
 * account, and sessions of a client address that a proxy told. */
#ifndef MAILROW_POP3D_KEEPERLIMITS_H
#define MAILROW_POP3D_KEEPERLIMITS_H

#include "lib/conf.h"
#include "pop3d/clients.h"
#include "pop3d/grudge.h"

enum { KEEPERLIMITS_BUCKETS = 1024 };

/* One that is logged in, or about to be. */
struct keeperaccount {
	struct keeperaccount *next;
	unsigned sessions;
	int64_t ask_at; /* when its state is asked for again (keeperstate.h) */
	char name[];
};

struct keeperlimits {
	struct clients peers;
	uint64_t seed;
	struct keeperaccount *bucket[KEEPERLIMITS_BUCKETS];
	struct grudge address, network, account;
};

/* False: no memory. */
bool keeperlimits_init(struct keeperlimits *l, const struct conf *c)
	__attribute__((warn_unused_result));
void keeperlimits_release(struct keeperlimits *l);

/* Other options hold for those that come from now on. */
void keeperlimits_reload(struct keeperlimits *l, const struct conf *c);

/* Counts session number n as one of that address. False: one too many, logged
 * and not counted. What was counted is given back once. */
bool keeperlimits_add_peer(struct keeperlimits *l, const struct conf *c,
			   uint32_t n, const struct ipaddr *a)
	__attribute__((warn_unused_result));
void keeperlimits_remove_peer(struct keeperlimits *l, uint32_t n);

/* The same by account; NULL: one too many, or no memory. */
struct keeperaccount *keeperlimits_join(struct keeperlimits *l,
					const struct conf *c, struct span name)
	__attribute__((warn_unused_result));
void keeperlimits_leave(struct keeperlimits *l, struct keeperaccount **a);

#endif
