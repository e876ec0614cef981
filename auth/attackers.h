/* auth/attackers.h: the memory of failed logins, by address, by network (IPv4
 * /24, IPv6 /64) and by account: what is delayed, what is refused and for how
 * long. It has a fixed size; in a full place the lightest makes room. Pure:
 * times are arguments, milliseconds of one clock. */
#ifndef MAILROW_AUTH_ATTACKERS_H
#define MAILROW_AUTH_ATTACKERS_H

#include "lib/addr.h"
#include "lib/network.h"
#include "lib/siphash.h"

enum {
	ATTACKERS_MAX = 16384,
	ATTACKERS_BLOCKS_MAX = 1024,
	ATTACKERS_USUAL_MAX = 65536,
	ATTACKERS_FAILURE = 1000, /* what one new guess weighs */
	ATTACKERS_AGAIN = 100,    /* the same wrong password once more */
	ATTACKERS_HALF_MS = 600000,
	ATTACKERS_REFUSE_MS = 60000, /* the first refusal, then twice ... */
	ATTACKERS_REFUSE_MAX_MS = 4 * 3600 * 1000,
	ATTACKERS_DELAY_MAX_MS = 6000,
	ATTACKERS_FORGIVEN_MS = 86400 * 1000 /* refusals are forgotten */
};

enum attackers_by {
	ATTACKERS_BY_ADDRESS,
	ATTACKERS_BY_NETWORK,
	ATTACKERS_BY_ACCOUNT,
	ATTACKERS_BY_BLOCK, /* the administrator's */
	ATTACKERS_BY_COUNT
};

/* Who tries to be whom. */
struct attackers_try {
	struct ipaddr rip;
	bool has_rip;
	struct span account; /* canonical; "": none that could be */
};

enum attackers_word { ATTACKERS_PASS, ATTACKERS_DELAY, ATTACKERS_REFUSE };

struct attackers_verdict {
	enum attackers_word word;
	enum attackers_by by;
	int64_t delay; /* milliseconds, beyond what every failure waits */
};

/* One entry as the database has it; ages instead of times. */
struct attackers_row {
	char who[ADDR_MAX + 1]; /* address, network or account */
	uint32_t weight;
	uint32_t level;  /* refusals so far */
	int64_t refused; /* milliseconds left; negative: over for so long */
	int64_t age;     /* milliseconds since the weight was that */
	bool blocked;    /* by the administrator */
};

/* What this process adds to it. */
struct attackers_change {
	char who[ADDR_MAX + 1];
	int32_t delta; /* of the weight */
	uint32_t level;
	int64_t refused; /* milliseconds left, 0: not */
};

struct attackers;

/* NULL: no memory. key is random. */
struct attackers *attackers_new(const uint8_t key[SIPHASH_KEY_SIZE]);
void attackers_free(struct attackers **t);

/* Before anything is looked up. Account and network of a usual address of the
 * account are not asked; without an address nothing is refused. */
struct attackers_verdict attackers_ask(const struct attackers *t,
				       const struct attackers_try *a,
				       int64_t now);

/* How many failures more each of the three takes before it is refused, at least
 * one; key is a keyed hash of its name, 0: it is not asked. */
struct attackers_room {
	uint64_t key[ATTACKERS_BY_BLOCK];
	unsigned failures[ATTACKERS_BY_BLOCK];
};
void attackers_room(const struct attackers *t, const struct attackers_try *a,
		    int64_t now, struct attackers_room *r_r);

/* A login has failed; password may be empty where there was none. Only a keyed
 * hash of it is kept. Returns which of the three began to be refused, bits
 * 1 << enum attackers_by. */
unsigned attackers_failed(struct attackers *t, const struct attackers_try *a,
			  struct span password, int64_t now);

/* A login has succeeded: the address is usual for the account from now on, and
 * its weight falls, at most once in a while for one account. */
void attackers_succeeded(struct attackers *t, const struct attackers_try *a,
			 int64_t now);

/* Without a weight that falls: what is known from before. Any thread may ask
 * for the hash of an account and the network of its address. */
uint64_t attackers_usual_hash(const struct attackers *t,
			      const struct attackers_try *a);
void attackers_usual(struct attackers *t, uint64_t hash, int64_t now);

/* The name of an entry, as a row has it, and how long it is refused yet. */
void attackers_who(const struct attackers_try *a, enum attackers_by by,
		   char who_r[ADDR_MAX + 1]);
int64_t attackers_refused(const struct attackers *t, struct span who,
			  int64_t now);

/* Up to max changes that the database has not; light ones are kept back. They
 * count as told until attackers_untold(). */
size_t attackers_take(struct attackers *t, struct attackers_change *c_r,
		      size_t max, int64_t now);
void attackers_untold(struct attackers *t, const struct attackers_change *c);

/* What the database says, of whichever process. */
void attackers_merge(struct attackers *t, const struct attackers_row *r,
		     int64_t now);

/* For tests. */
uint32_t attackers_weight(const struct attackers *t, struct span who,
			  int64_t now);

#endif
