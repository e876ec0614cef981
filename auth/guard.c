#include "auth/guard.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "lib/clock.h"
#include "lib/esc.h"
#include "lib/log.h"
#include "lib/metric.h"

enum mode { MODE_ENFORCE, MODE_SHADOW, MODE_OFF };

bool guard_init(struct guard *g)
{
	uint8_t key[SIPHASH_KEY_SIZE];

	memset(g, 0, sizeof(*g));
	if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key))
		return false;
	g->memory = attackers_new(key);
	explicit_bzero(key, sizeof(key));
	g->sync = g->memory ? attackersync_new(g->memory) : NULL;
	g->pending = pending_new();
	return g->sync && g->pending;
}

/* What a worker still has is lost with the process. */
void guard_release(struct guard *g)
{
	if (!g->syncing)
		attackersync_free(&g->sync);
	attackers_free(&g->memory);
	pending_free(&g->pending);
}

static enum mode mode_of(const struct conf *c)
{
	if (strcmp(c->auth_attackers, "off") == 0)
		return MODE_OFF;
	return strcmp(c->auth_attackers, "shadow") == 0 ? MODE_SHADOW
							: MODE_ENFORCE;
}

/* Who a is of. False: nobody that the memory is for. */
static bool try_of(const struct conf *c, const struct attempt *a,
		   struct addr *account, struct attackers_try *t_r)
{
	if (mode_of(c) == MODE_OFF ||
	    (a->has_rip && network_set_has(&c->trusted_networks, &a->rip)))
		return false;
	*t_r = (struct attackers_try){ .rip = a->rip, .has_rip = a->has_rip };
	if (addr_parse(buf_span(&a->mech.user), c->fold_local_part, account) ==
	    ADDR_OK)
		t_r->account = addr_span(account);
	return true;
}

static enum guard_word refuse(struct attempt *a, enum attackers_by by)
{
	static const char *const reason[ATTACKERS_BY_COUNT] = {
		[ATTACKERS_BY_ADDRESS] = "address-refused",
		[ATTACKERS_BY_NETWORK] = "network-refused",
		[ATTACKERS_BY_ACCOUNT] = "account-refused",
		[ATTACKERS_BY_BLOCK] = "address-blocked",
	};

	metric_add(M_LOGIN_REFUSED, 1);
	attempt_set(a, VERDICT_FAILED, reason[by]);
	a->refused = true;
	return GUARD_REFUSED;
}

static enum guard_word delay(struct guard *g, const struct conf *c,
			     struct attempt *a,
			     const struct attackers_verdict *v)
{
	if (g->delayed >= c->delay_slots)
		return refuse(a, v->by);
	metric_add(M_LOGIN_HELD_BACK, 1);
	g->delayed++;
	a->hold = v->delay;
	return GUARD_PASS;
}

static void wait_append(struct guard *g, struct attempt *a, uint64_t key)
{
	a->waits_for = key;
	a->wait_prev = g->last;
	a->wait_next = NULL;
	if (g->last)
		g->last->wait_next = a;
	else
		g->first = a;
	g->last = a;
}

static void wait_remove(struct guard *g, struct attempt *a)
{
	if (a->wait_prev)
		a->wait_prev->wait_next = a->wait_next;
	else
		g->first = a->wait_next;
	if (a->wait_next)
		a->wait_next->wait_prev = a->wait_prev;
	else
		g->last = a->wait_prev;
	a->wait_prev = a->wait_next = NULL;
	a->waits_for = 0;
}

/* Each that is being checked may fail. 0: there is room for one more. */
static uint64_t full_key(const struct guard *g, const struct attackers_room *r)
{
	for (unsigned by = 0; by < ATTACKERS_BY_BLOCK; by++)
		if (r->key[by] &&
		    pending_count(g->pending, r->key[by]) >= r->failures[by])
			return r->key[by];
	return 0;
}

enum guard_word guard_admit(struct guard *g, const struct conf *c,
			    struct attempt *a)
{
	int64_t now = clock_ms();
	struct attackers_verdict v;
	struct attackers_room room;
	struct attackers_try t;
	struct addr account;
	uint64_t full;

	memset(a->pending, 0, sizeof(a->pending));
	if (!try_of(c, a, &account, &t) || mode_of(c) == MODE_SHADOW)
		return GUARD_PASS;
	v = attackers_ask(g->memory, &t, now);
	if (v.word == ATTACKERS_REFUSE)
		return refuse(a, v.by);
	attackers_room(g->memory, &t, now, &room);
	full = full_key(g, &room);
	if (full) {
		wait_append(g, a, full);
		return GUARD_WAIT;
	}
	memcpy(a->pending, room.key, sizeof(a->pending));
	return v.word == ATTACKERS_DELAY ? delay(g, c, a, &v) : GUARD_PASS;
}

void guard_let_go(struct guard *g, struct attempt *a)
{
	g->delayed -= a->hold > 0;
	a->hold = 0;
	if (a->waits_for)
		wait_remove(g, a);
}

void guard_enter(struct guard *g, struct attempt *a)
{
	for (unsigned by = 0; by < ATTACKERS_BY_BLOCK; by++)
		if (a->pending[by] && !pending_add(g->pending, a->pending[by]))
			a->pending[by] = 0;
}

void guard_leave(struct guard *g, struct attempt *a,
		 uint64_t key_r[ATTACKERS_BY_BLOCK])
{
	memcpy(key_r, a->pending, sizeof(a->pending));
	memset(a->pending, 0, sizeof(a->pending));
	for (unsigned by = 0; by < ATTACKERS_BY_BLOCK; by++)
		if (key_r[by])
			pending_drop(g->pending, key_r[by]);
}

/* 0: for nothing any more. */
static uint64_t still_waits_for(const struct guard *g, const struct conf *c,
				const struct attempt *a)
{
	int64_t now = clock_ms();
	struct attackers_room room;
	struct attackers_try t;
	struct addr account;

	if (!try_of(c, a, &account, &t) || mode_of(c) == MODE_SHADOW ||
	    attackers_ask(g->memory, &t, now).word == ATTACKERS_REFUSE)
		return 0;
	attackers_room(g->memory, &t, now, &room);
	return full_key(g, &room);
}

/* What is full for the first is full for those behind it. */
static struct attempt *next_of(struct guard *g, const struct conf *c,
			       uint64_t key)
{
	struct attempt *a;

	for (a = g->first; a; a = a->wait_next) {
		uint64_t full;

		if (a->waits_for != key)
			continue;
		full = still_waits_for(g, c, a);
		if (full == key)
			return NULL;
		if (!full) {
			wait_remove(g, a);
			return a;
		}
		a->waits_for = full;
	}
	return NULL;
}

struct attempt *guard_next(struct guard *g, const struct conf *c,
			   const uint64_t key[ATTACKERS_BY_BLOCK])
{
	struct attempt *a = NULL;

	for (unsigned by = 0; !a && by < ATTACKERS_BY_BLOCK; by++)
		if (key[by])
			a = next_of(g, c, key[by]);
	return a;
}

static void log_began(const struct guard *g, const struct conf *c,
		      const struct attackers_try *t, unsigned began)
{
	const char *how =
		mode_of(c) == MODE_SHADOW ? "would be refused" : "refused";
	char who[ADDR_MAX + 1];
	struct esc_text text;

	for (unsigned by = 0; by < ATTACKERS_BY_BLOCK; by++) {
		if (!(began & 1u << by))
			continue;
		attackers_who(t, by, who);
		log_info(
			"attackers: <%s> %s for %" PRId64 " s",
			esc_text(&text, span_of(who)), how,
			attackers_refused(g->memory, span_of(who), clock_ms()) /
				1000);
	}
}

/* Whoever knows the password of an account that is not open guesses nothing. */
static bool is_guess(const struct check_result *r)
{
	return r->guess || (r->verdict == VERDICT_FAILED && !r->closed);
}

/* A digest is no password, and never the same twice. */
void guard_note(struct guard *g, const struct conf *c, const struct attempt *a)
{
	const bool text =
		a->mech.name == MECH_PLAIN || a->mech.name == MECH_LOGIN;
	struct attackers_try t;
	struct addr account;

	if (a->refused || !try_of(c, a, &account, &t))
		return;
	if (a->result.verdict == VERDICT_OK) {
		t.account = addr_span(&a->result.user);
		attackers_succeeded(g->memory, &t, clock_ms());
	} else if (is_guess(&a->result)) {
		log_began(g, c, &t,
			  attackers_failed(g->memory, &t,
					   text ? buf_span(&a->mech.secret)
						: SPAN_EMPTY,
					   clock_ms()));
	}
}
