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
	return g->sync != NULL;
}

/* What a worker still has is lost with the process. */
void guard_release(struct guard *g)
{
	if (!g->syncing)
		attackersync_free(&g->sync);
	attackers_free(&g->memory);
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

static bool refuse(struct attempt *a, enum attackers_by by)
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
	return false;
}

static bool delay(struct guard *g, const struct conf *c, struct attempt *a,
		  const struct attackers_verdict *v)
{
	if (g->delayed >= c->delay_slots)
		return refuse(a, v->by);
	metric_add(M_LOGIN_HELD_BACK, 1);
	g->delayed++;
	a->hold = v->delay;
	return true;
}

bool guard_admit(struct guard *g, const struct conf *c, struct attempt *a)
{
	struct attackers_verdict v;
	struct attackers_try t;
	struct addr account;

	if (!try_of(c, a, &account, &t) || mode_of(c) == MODE_SHADOW)
		return true;
	v = attackers_ask(g->memory, &t, clock_ms());
	switch (v.word) {
	case ATTACKERS_REFUSE:
		return refuse(a, v.by);
	case ATTACKERS_DELAY:
		return delay(g, c, a, &v);
	case ATTACKERS_PASS:
		break;
	}
	return true;
}

void guard_let_go(struct guard *g, struct attempt *a)
{
	g->delayed -= a->hold > 0;
	a->hold = 0;
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

/* Whoever knows the password of an account that is not open guesses nothing;
 * a digest is no password, and never the same twice. */
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
	} else if (a->result.verdict == VERDICT_FAILED && !a->result.closed) {
		log_began(g, c, &t,
			  attackers_failed(g->memory, &t,
					   text ? buf_span(&a->mech.secret)
						: SPAN_EMPTY,
					   clock_ms()));
	}
}
