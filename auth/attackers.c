#include "auth/attackers.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	WAYS = 8,
	PLACES = ATTACKERS_MAX / WAYS,
	USUAL_PLACES = ATTACKERS_USUAL_MAX / WAYS,
	GUESSES = 4,
	WEIGHT_MAX = 1000 * ATTACKERS_FAILURE,
	LEVEL_MAX = 16,
	TOLD_FROM = 2 * ATTACKERS_FAILURE, /* a mistyped password is not told */
	LOWER_AGAIN_MINUTES = 10,
	MINUTE_MS = 60000
};

struct entry {
	char who[ADDR_MAX + 1]; /* "": free */
	bool changed;
	uint32_t level;
	uint32_t weight; /* at `at` */
	int32_t delta;   /* of it, what the database has not been told */
	int64_t at;
	int64_t until;           /* refused; 0: never was */
	uint64_t guess[GUESSES]; /* the last wrong passwords, hashed */
	unsigned next_guess;
};

struct block {
	struct network net;
	int64_t until;
};

/* An account and a network that it logged in from. */
struct usual {
	uint32_t tag;
	uint32_t minute; /* of the last login; 0: free */
};

struct attackers {
	uint8_t key[SIPHASH_KEY_SIZE];
	struct entry *entry; /* ATTACKERS_MAX */
	struct usual *usual; /* ATTACKERS_USUAL_MAX */
	struct block block[ATTACKERS_BLOCKS_MAX];
	size_t nblocks;
	size_t take_at; /* where the next attackers_take() begins */
};

/* From which weight on something is delayed, and refused: at the n-th failure,
 * though the first have begun to fade by then. */
struct limits {
	uint32_t delay, refuse;
};

static struct limits limits_of(enum attackers_by by, bool v4)
{
	static const struct limits address = { 2500, 9500 };
	static const struct limits network4 = { 23500, 79500 };
	static const struct limits network6 = { 5500, 19500 };
	static const struct limits account = { 9500, 29500 };

	switch (by) {
	case ATTACKERS_BY_NETWORK:
		return v4 ? network4 : network6;
	case ATTACKERS_BY_ACCOUNT:
		return account;
	case ATTACKERS_BY_ADDRESS:
	case ATTACKERS_BY_BLOCK:
	case ATTACKERS_BY_COUNT:
		break;
	}
	return address;
}

struct attackers *attackers_new(const uint8_t key[SIPHASH_KEY_SIZE])
{
	struct attackers *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	memcpy(t->key, key, SIPHASH_KEY_SIZE);
	t->entry = calloc(ATTACKERS_MAX, sizeof(*t->entry));
	t->usual = calloc(ATTACKERS_USUAL_MAX, sizeof(*t->usual));
	if (!t->entry || !t->usual)
		attackers_free(&t);
	return t;
}

void attackers_free(struct attackers **t)
{
	if (!*t)
		return;
	free((*t)->entry);
	free((*t)->usual);
	explicit_bzero((*t)->key, SIPHASH_KEY_SIZE);
	free(*t);
	*t = NULL;
}

void attackers_who(const struct attackers_try *a, enum attackers_by by,
		   char who_r[ADDR_MAX + 1])
{
	struct span account = span_head(a->account, ADDR_MAX);
	struct network net;
	char text[IPADDR_TEXT_MAX];

	who_r[0] = '\0';
	if (by == ATTACKERS_BY_ACCOUNT && account.n > 0) {
		memcpy(who_r, account.p, account.n);
		who_r[account.n] = '\0';
	} else if (by == ATTACKERS_BY_ADDRESS && a->has_rip) {
		(void)snprintf(who_r, ADDR_MAX + 1, "%s",
			       ipaddr_text(&a->rip, text));
	} else if (by == ATTACKERS_BY_NETWORK && a->has_rip) {
		network_around(&a->rip, &net);
		(void)snprintf(who_r, ADDR_MAX + 1, "%s/%u",
			       ipaddr_text(&net.base, text),
			       ipaddr_is_v4(&net.base) ? 24u : 64u);
	}
}

static struct entry *place_of(const struct attackers *t, struct span who)
{
	size_t place = siphash(t->key, who) % PLACES;

	return &t->entry[place * WAYS];
}

/* NULL: there is none. */
static struct entry *entry_find(const struct attackers *t, struct span who)
{
	struct entry *e = place_of(t, who);

	for (size_t i = 0; who.n > 0 && i < WAYS; i++, e++)
		if (span_is(who, e->who))
			return e;
	return NULL;
}

/* The weight halves in each ATTACKERS_HALF_MS, in between on a line. */
static uint32_t weight_after(uint32_t weight, int64_t ms)
{
	int64_t halves = ms / ATTACKERS_HALF_MS;
	int64_t rest = ms % ATTACKERS_HALF_MS;

	if (ms <= 0)
		return weight;
	if (halves >= 32)
		return 0;
	weight >>= halves;
	return weight - (uint32_t)((int64_t)weight * rest /
				   (2 * (int64_t)ATTACKERS_HALF_MS));
}

static uint32_t entry_weight(const struct entry *e, int64_t now)
{
	return weight_after(e->weight, now - e->at);
}

static void entry_set_weight(struct entry *e, int64_t weight, int64_t now)
{
	if (weight < 0)
		weight = 0;
	e->weight = (uint32_t)(weight < WEIGHT_MAX ? weight : WEIGHT_MAX);
	e->at = now;
}

static void entry_add(struct entry *e, int64_t weight, int64_t now)
{
	uint32_t before = entry_weight(e, now);

	entry_set_weight(e, (int64_t)before + weight, now);
	e->delta += (int32_t)((int64_t)e->weight - before);
	e->changed = true;
}

/* What is refused is worth more than what only weighs. */
static int64_t entry_worth(const struct entry *e, int64_t now)
{
	int64_t left = e->until > now ? e->until - now : 0;

	return e->who[0] ? 1 + entry_weight(e, now) + left * WEIGHT_MAX : 0;
}

/* That of who, or one that is now. */
static struct entry *entry_get(struct attackers *t, struct span who,
			       int64_t now)
{
	struct entry *e = entry_find(t, who), *place = place_of(t, who);

	if (e)
		return e;
	e = place;
	for (size_t i = 1; i < WAYS; i++)
		if (entry_worth(place + i, now) < entry_worth(e, now))
			e = place + i;
	memset(e, 0, sizeof(*e));
	memcpy(e->who, who.p, who.n);
	e->at = now;
	return e;
}

uint64_t attackers_usual_hash(const struct attackers *t,
			      const struct attackers_try *a)
{
	char text[2 * (ADDR_MAX + 1)];
	size_t n = span_head(a->account, ADDR_MAX).n;

	memcpy(text, a->account.p, n);
	text[n++] = '\n';
	attackers_who(a, ATTACKERS_BY_NETWORK, text + n);
	return siphash(t->key, (struct span){ text, n + strlen(text + n) });
}

static struct usual *usual_place(const struct attackers *t, uint64_t hash)
{
	return &t->usual[hash % USUAL_PLACES * WAYS];
}

/* NULL: none such. */
static struct usual *usual_find(const struct attackers *t, uint64_t hash)
{
	struct usual *u = usual_place(t, hash);

	for (size_t i = 0; i < WAYS; i++, u++)
		if (u->minute && u->tag == (uint32_t)(hash >> 32))
			return u;
	return NULL;
}

/* 0 is that of a free place. */
static uint32_t minute_of(int64_t now)
{
	return (uint32_t)(now / MINUTE_MS) + 1;
}

static bool is_usual(const struct attackers *t, const struct attackers_try *a)
{
	return a->has_rip && a->account.n > 0 &&
	       usual_find(t, attackers_usual_hash(t, a));
}

void attackers_usual(struct attackers *t, uint64_t hash, int64_t now)
{
	struct usual *u = usual_find(t, hash), *place;

	if (!u) {
		u = place = usual_place(t, hash);
		for (size_t i = 1; i < WAYS; i++)
			if (place[i].minute < u->minute)
				u = place + i;
		u->tag = (uint32_t)(hash >> 32);
	}
	u->minute = minute_of(now);
}

void attackers_succeeded(struct attackers *t, const struct attackers_try *a,
			 int64_t now)
{
	uint64_t hash = attackers_usual_hash(t, a);
	const struct usual *u = usual_find(t, hash);
	bool lowers = !u || minute_of(now) - u->minute >= LOWER_AGAIN_MINUTES;
	char who[ADDR_MAX + 1];
	struct entry *e;

	if (!a->has_rip)
		return;
	attackers_usual(t, hash, now);
	attackers_who(a, ATTACKERS_BY_ADDRESS, who);
	e = entry_find(t, span_of(who));
	if (e && lowers)
		entry_add(e, -(int64_t)(entry_weight(e, now) / 2), now);
}

static const struct block *block_of(const struct attackers *t,
				    const struct ipaddr *a, int64_t now)
{
	for (size_t i = 0; i < t->nblocks; i++)
		if (t->block[i].until > now && network_has(&t->block[i].net, a))
			return &t->block[i];
	return NULL;
}

static int64_t delay_for(uint32_t weight, struct limits l)
{
	int64_t ms;

	if (weight < l.delay)
		return 0;
	ms = 1000 + ((int64_t)weight - l.delay) *
			    (ATTACKERS_DELAY_MAX_MS - 1000) /
			    (l.refuse - l.delay);
	return ms < ATTACKERS_DELAY_MAX_MS ? ms : ATTACKERS_DELAY_MAX_MS;
}

static void ask_one(const struct attackers *t, const struct attackers_try *a,
		    enum attackers_by by, int64_t now,
		    struct attackers_verdict *v)
{
	char who[ADDR_MAX + 1];
	const struct entry *e;
	int64_t delay;

	attackers_who(a, by, who);
	e = entry_find(t, span_of(who));
	if (!e || v->word == ATTACKERS_REFUSE)
		return;
	delay = delay_for(entry_weight(e, now),
			  limits_of(by, ipaddr_is_v4(&a->rip)));
	if (e->until > now && a->has_rip)
		*v = (struct attackers_verdict){ ATTACKERS_REFUSE, by, 0 };
	else if (delay > v->delay)
		*v = (struct attackers_verdict){ ATTACKERS_DELAY, by, delay };
}

struct attackers_verdict attackers_ask(const struct attackers *t,
				       const struct attackers_try *a,
				       int64_t now)
{
	struct attackers_verdict v = { ATTACKERS_PASS, ATTACKERS_BY_ADDRESS,
				       0 };

	if (a->has_rip && block_of(t, &a->rip, now))
		return (struct attackers_verdict){ ATTACKERS_REFUSE,
						   ATTACKERS_BY_BLOCK, 0 };
	ask_one(t, a, ATTACKERS_BY_ADDRESS, now, &v);
	if (is_usual(t, a))
		return v;
	ask_one(t, a, ATTACKERS_BY_NETWORK, now, &v);
	ask_one(t, a, ATTACKERS_BY_ACCOUNT, now, &v);
	return v;
}

/* Never that of nobody. */
static uint64_t key_of(const struct attackers *t, struct span who)
{
	uint64_t key = siphash(t->key, who);

	return key ? key : 1;
}

static unsigned failures_until(uint32_t weight, uint32_t refuse)
{
	return weight < refuse ? (refuse - weight + ATTACKERS_FAILURE - 1) /
					 ATTACKERS_FAILURE
			       : 1;
}

void attackers_room(const struct attackers *t, const struct attackers_try *a,
		    int64_t now, struct attackers_room *r_r)
{
	bool usual = is_usual(t, a);
	char who[ADDR_MAX + 1];
	const struct entry *e;

	memset(r_r, 0, sizeof(*r_r));
	for (unsigned by = 0; a->has_rip && by < ATTACKERS_BY_BLOCK; by++) {
		attackers_who(a, by, who);
		if (!who[0] || (usual && by != ATTACKERS_BY_ADDRESS))
			continue;
		e = entry_find(t, span_of(who));
		r_r->key[by] = key_of(t, span_of(who));
		r_r->failures[by] = failures_until(
			e ? entry_weight(e, now) : 0,
			limits_of(by, ipaddr_is_v4(&a->rip)).refuse);
	}
}

static bool guess_is_known(const struct entry *e, uint64_t guess)
{
	for (size_t i = 0; e && i < GUESSES; i++)
		if (e->guess[i] == guess)
			return true;
	return false;
}

static void guess_note(struct entry *e, uint64_t guess)
{
	if (guess_is_known(e, guess))
		return;
	e->guess[e->next_guess] = guess;
	e->next_guess = (e->next_guess + 1) % GUESSES;
}

/* Of the account's name and the password; 0 when there is none of either. */
static uint64_t guess_hash(const struct attackers *t,
			   const struct attackers_try *a, struct span password)
{
	uint8_t key[SIPHASH_KEY_SIZE];
	uint64_t name = siphash(t->key, a->account), hash;

	if (a->account.n == 0 || password.n == 0)
		return 0;
	memcpy(key, t->key, sizeof(key));
	for (size_t i = 0; i < 8; i++)
		key[i] ^= (uint8_t)(name >> (8 * i));
	hash = siphash(key, password);
	explicit_bzero(key, sizeof(key));
	return hash ? hash : 1;
}

static uint32_t level_now(const struct entry *e, int64_t now)
{
	return now - e->until > ATTACKERS_FORGIVEN_MS ? 0 : e->level;
}

static int64_t refusal_ms(uint32_t level)
{
	int64_t ms = (int64_t)ATTACKERS_REFUSE_MS << level;

	return ms < ATTACKERS_REFUSE_MAX_MS ? ms : ATTACKERS_REFUSE_MAX_MS;
}

/* True: it is refused from now on, each time for longer. */
static bool entry_refuse(struct entry *e, struct limits l, int64_t now)
{
	uint32_t level = level_now(e, now);

	if (e->weight < l.refuse || e->until > now)
		return false;
	e->until = now + refusal_ms(level);
	e->level = level < LEVEL_MAX ? level + 1 : LEVEL_MAX;
	return true;
}

/* The same password again tells the guesser nothing, and is what a forgotten
 * telephone sends; whether the account exists plays no part, or it could be
 * found out by watching when the delays begin. */
unsigned attackers_failed(struct attackers *t, const struct attackers_try *a,
			  struct span password, int64_t now)
{
	struct entry *e[ATTACKERS_BY_BLOCK] = { NULL };
	uint64_t guess = guess_hash(t, a, password);
	char who[ADDR_MAX + 1];
	bool again = false;
	unsigned began = 0;

	for (unsigned by = 0; by < ATTACKERS_BY_BLOCK; by++) {
		attackers_who(a, by, who);
		if (who[0])
			e[by] = entry_get(t, span_of(who), now);
		again = again || (guess && guess_is_known(e[by], guess));
	}
	for (unsigned by = 0; by < ATTACKERS_BY_BLOCK; by++) {
		if (!e[by])
			continue;
		entry_add(e[by], again ? ATTACKERS_AGAIN : ATTACKERS_FAILURE,
			  now);
		if (guess && by != ATTACKERS_BY_NETWORK)
			guess_note(e[by], guess);
		if (entry_refuse(e[by], limits_of(by, ipaddr_is_v4(&a->rip)),
				 now))
			began |= 1u << by;
	}
	return began;
}

int64_t attackers_refused(const struct attackers *t, struct span who,
			  int64_t now)
{
	const struct entry *e = entry_find(t, who);

	return e && e->until > now ? e->until - now : 0;
}

uint32_t attackers_weight(const struct attackers *t, struct span who,
			  int64_t now)
{
	const struct entry *e = entry_find(t, who);

	return e ? entry_weight(e, now) : 0;
}

static void entry_tell(struct entry *e, struct attackers_change *c, int64_t now)
{
	memcpy(c->who, e->who, sizeof(c->who));
	c->delta = e->delta;
	c->level = level_now(e, now);
	c->refused = e->until > now ? e->until - now : 0;
	e->delta = 0;
	e->changed = false;
}

size_t attackers_take(struct attackers *t, struct attackers_change *c_r,
		      size_t max, int64_t now)
{
	size_t n = 0;

	for (size_t i = 0; i < ATTACKERS_MAX && n < max; i++) {
		struct entry *e = &t->entry[t->take_at];

		t->take_at = (t->take_at + 1) % ATTACKERS_MAX;
		if (e->changed &&
		    (e->weight >= TOLD_FROM || e->delta < 0 || e->until > now))
			entry_tell(e, &c_r[n++], now);
	}
	return n;
}

void attackers_untold(struct attackers *t, const struct attackers_change *c)
{
	struct entry *e = entry_find(t, span_of(c->who));

	if (!e)
		return;
	e->delta += c->delta;
	e->changed = true;
}

/* Where a block of this network stands, or the next would. */
static struct block *block_at(struct attackers *t, const struct network *net,
			      int64_t now)
{
	size_t at = t->nblocks;

	for (size_t i = 0; i < t->nblocks; i++) {
		const struct block *b = &t->block[i];

		if (b->net.bits == net->bits &&
		    memcmp(&b->net.base, &net->base, sizeof(net->base)) == 0)
			return &t->block[i];
		if (b->until <= now)
			at = i;
	}
	if (at == ATTACKERS_BLOCKS_MAX)
		return NULL;
	t->nblocks += at == t->nblocks;
	return &t->block[at];
}

static void merge_block(struct attackers *t, const struct attackers_row *r,
			int64_t now)
{
	struct block *b;
	struct network net;

	if (!network_parse(span_of(r->who), &net))
		return;
	if (!r->blocked && t->nblocks == 0)
		return;
	b = block_at(t, &net, now);
	if (b)
		*b = (struct block){ net, r->blocked ? now + r->refused : now };
}

void attackers_merge(struct attackers *t, const struct attackers_row *r,
		     int64_t now)
{
	struct span who = span_of(r->who);
	uint32_t weight = weight_after(r->weight, r->age);
	struct entry *e;

	merge_block(t, r, now);
	e = entry_find(t, who);
	if (r->blocked ||
	    (!e && weight == 0 && r->refused < -(int64_t)ATTACKERS_FORGIVEN_MS))
		return;
	if (!e)
		e = entry_get(t, who, now);
	/* a change that is not told yet is the newer word */
	if (!e->changed || r->refused > e->until - now) {
		e->until = now + r->refused;
		e->level = r->level < LEVEL_MAX ? r->level : LEVEL_MAX;
	}
	entry_set_weight(e, (int64_t)weight + e->delta, now);
}
