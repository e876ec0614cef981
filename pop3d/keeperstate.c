/* pop3d/keeperstate.c: see keeperstate.h. A question goes in the name of one of
 * the account's sessions: as long as that one is bound, an answer for it can
 * only be this one. */
#include "pop3d/keeperstate.h"

#include "lib/clock.h"
#include "lib/esc.h"
#include "lib/log.h"
#include "pop3d/keeperloop.h"

void keeperstate_note(struct keeperaccount *a, int64_t now)
{
	a->ask_at = now + KEEPERSTATE_MS;
}

static bool is_due(const struct channel *c, int64_t now)
{
	return c && c->s.bound && c->account && !c->stopping &&
	       c->account->ask_at <= now;
}

static void ask(struct keeperloop *k, struct channel *c, int64_t now)
{
	const struct authproto_login l = { .mech = MECH_STATE,
					   .service = "pop3",
					   .user = span_of(c->account->name),
					   .secret = SPAN_EMPTY,
					   .challenge = SPAN_EMPTY };

	/* should its session end first, the answer is lost */
	c->account->ask_at = now + KEEPERAUTH_TIMEOUT_MS;
	if (!keeperauth_ask(&k->auth, c->key, &l, now))
		c->account->ask_at = now + KEEPERSTATE_DOUBT_MS;
}

/* Each tick's share of what is permitted in a second. */
static uint64_t share(const struct keeperloop *k)
{
	uint64_t n = k->conf->pop3_state_checks * KEEPERSTATE_TICK_MS / 1000;

	return k->state.doubtful || n == 0 ? 1 : n;
}

void keeperstate_tick(struct keeperloop *k, int64_t now)
{
	uint64_t left = share(k);
	uint32_t n = k->nslot;

	if (now < k->state.next || k->conf->pop3_state_checks == 0)
		return;
	k->state.next = now + KEEPERSTATE_TICK_MS;
	for (; n > 0 && left > 0; n--) {
		struct channel *c = k->slot[k->state.slot++ % k->nslot].channel;

		if (!is_due(c, now))
			continue;
		ask(k, c, now);
		left--;
	}
	if (k->state.doubtful)
		k->state.next = now + KEEPERSTATE_DOUBT_MS;
}

int64_t keeperstate_wait(const struct keeperloop *k, int64_t now)
{
	if (k->channels == 0 || k->conf->pop3_state_checks == 0)
		return -1;
	return k->state.next > now ? k->state.next - now : 0;
}

static void end_sessions(struct keeperloop *k, struct channel *c)
{
	const struct keeperaccount *account = c->account;
	struct esc_text text;
	unsigned n = 0;

	(void)esc_text(&text, span_of(account->name));
	for (uint32_t i = 0; i < k->nslot; i++) {
		c = k->slot[i].channel;
		if (!c || c->account != account || c->stopping)
			continue;
		channel_stop(k, c, CHAN_END_DISABLED);
		n++;
	}
	log_info("user=<%s> is not open any more: %u sessions are told to end",
		 text.s, n);
}

void keeperstate_answered(struct keeperloop *k, struct channel *c,
			  const struct authproto_answer *a)
{
	k->state.doubtful = !a;
	if (!c->account)
		return;
	keeperstate_note(c->account, clock_ms());
	if (a && a->kind == AUTHPROTO_A_CLOSED)
		end_sessions(k, c);
}
