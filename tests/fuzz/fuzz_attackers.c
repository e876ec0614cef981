/* tests/fuzz/fuzz_attackers.c: the memory of failed logins against a list that
 * is searched from its front, with the rules written as the manual page tells
 * them. Input: steps of few names, so that they often meet, and of time. */
#include "tests/fuzz/fuzz.h"

#include "auth/attackers.h"

enum {
	NAMES = 16,
	GUESSES = 4,
	STEPS_MAX = 2000,
	TAKES_MAX = 4, /* each looks through the whole table */
	WEIGHT_MAX = 1000000,
	LEVEL_MAX = 16,
	SECOND = 1000,
	MINUTE = 60 * SECOND
};

static const struct {
	const char *rip, *network;
} places[] = {
	{ "192.0.2.1", "192.0.2.0/24" },
	{ "192.0.2.2", "192.0.2.0/24" },
	{ "198.51.100.1", "198.51.100.0/24" },
	{ "2001:db8::1", "2001:db8::/64" },
	{ "2001:db8::2", "2001:db8::/64" },
	{ "2001:db8:0:1::1", "2001:db8:0:1::/64" },
	{ "", "" },
	{ "", "" },
};

static const char *const accounts[] = { "a@x", "b@x", "c@x", "" };
static const char *const passwords[] = {
	"p", "q", "r", "s", "t", "u", "v", ""
};

/* All that an entry or a block may be of. */
static const char *const names[NAMES] = {
	"192.0.2.1",     "192.0.2.2",         "198.51.100.1", "2001:db8::1",
	"2001:db8::2",   "2001:db8:0:1::1",   "192.0.2.0/24", "198.51.100.0/24",
	"2001:db8::/64", "2001:db8:0:1::/64", "a@x",          "b@x",
	"c@x",           "192.0.0.0/16",      "::/0",         "nobody@x",
};

/* Of the names; what is not there is all 0. */
static struct entry {
	bool there, changed;
	uint32_t level;
	int64_t weight, delta, at, until;
	const char *guess[GUESSES][2]; /* account, password */
	unsigned next_guess;
} entry[NAMES];

/* Of the accounts and networks (names); the minute of the last login, 0: none.
 */
static int64_t usual[4][NAMES];
static int64_t blocked_until[NAMES];
static int64_t now;

static struct entry *entry_of(const char *who)
{
	for (size_t i = 0; who[0] && i < NAMES; i++)
		if (strcmp(names[i], who) == 0)
			return &entry[i];
	return NULL;
}

static bool is_v4(const char *rip)
{
	return strchr(rip, ':') == NULL;
}

/* Who tries, in both forms. */
struct who {
	const char *name[ATTACKERS_BY_BLOCK];
	size_t place, account;
	struct attackers_try try;
};

static struct who who_of(uint8_t octet)
{
	struct who w = { .place = octet % 8, .account = octet / 8 % 4 };

	w.name[ATTACKERS_BY_ADDRESS] = places[w.place].rip;
	w.name[ATTACKERS_BY_NETWORK] = places[w.place].network;
	w.name[ATTACKERS_BY_ACCOUNT] = accounts[w.account];
	w.try.account = span_of(accounts[w.account]);
	w.try.has_rip = ipaddr_parse(span_of(places[w.place].rip), &w.try.rip);
	return w;
}

/* Half of it in ten minutes, on a line in between. */
static int64_t faded(int64_t weight, int64_t ms)
{
	for (; ms >= ATTACKERS_HALF_MS && weight > 0; ms -= ATTACKERS_HALF_MS)
		weight /= 2;
	return ms > 0 ? weight - weight * ms / (2LL * ATTACKERS_HALF_MS)
		      : weight;
}

static int64_t weight_of(const struct entry *e)
{
	return e && e->there ? faded(e->weight, now - e->at) : 0;
}

static void set_weight(struct entry *e, int64_t weight)
{
	e->weight = weight < 0 ? 0 : weight < WEIGHT_MAX ? weight : WEIGHT_MAX;
	e->at = now;
}

static void add(struct entry *e, int64_t weight)
{
	int64_t before = weight_of(e);

	set_weight(e, before + weight);
	e->delta += e->weight - before;
	e->changed = true;
}

/* At the n-th failure; the first have begun to fade. */
static int64_t refused_at(unsigned by, bool v4)
{
	return (by == ATTACKERS_BY_ADDRESS   ? 10
		: by == ATTACKERS_BY_ACCOUNT ? 30
		: v4                         ? 80
					     : 20) *
		       1000 -
	       500;
}

static int64_t delayed_at(unsigned by, bool v4)
{
	return (by == ATTACKERS_BY_ADDRESS   ? 3
		: by == ATTACKERS_BY_ACCOUNT ? 10
		: v4                         ? 24
					     : 6) *
		       1000 -
	       500;
}

static bool is_usual(const struct who *w)
{
	for (size_t i = 0; w->try.has_rip && i < NAMES; i++)
		if (strcmp(names[i], w->name[ATTACKERS_BY_NETWORK]) == 0)
			return accounts[w->account][0] && usual[w->account][i];
	return false;
}

static bool is_blocked(const struct who *w)
{
	struct network net;

	for (size_t i = 0; w->try.has_rip && i < NAMES; i++)
		if (blocked_until[i] > now &&
		    network_parse(span_of(names[i]), &net) &&
		    network_has(&net, &w->try.rip))
			return true;
	return false;
}

static struct attackers_verdict asked(const struct who *w)
{
	struct attackers_verdict v = { .word = ATTACKERS_PASS };
	bool usually = is_usual(w);

	if (is_blocked(w))
		return (struct attackers_verdict){ ATTACKERS_REFUSE,
						   ATTACKERS_BY_BLOCK, 0 };
	for (unsigned by = 0; by < ATTACKERS_BY_BLOCK; by++) {
		const struct entry *e = entry_of(w->name[by]);
		bool v4 = is_v4(w->name[ATTACKERS_BY_ADDRESS]);
		int64_t from = delayed_at(by, w->try.has_rip && v4), ms;

		if (!e || !e->there || (usually && by > 0))
			continue;
		if (w->try.has_rip && e->until > now)
			return (struct attackers_verdict){ ATTACKERS_REFUSE, by,
							   0 };
		ms = 1000 +
		     (weight_of(e) - from) * 5000 /
			     (refused_at(by, w->try.has_rip && v4) - from);
		ms = ms < 6000 ? ms : 6000;
		if (weight_of(e) >= from && ms > v.delay)
			v = (struct attackers_verdict){ ATTACKERS_DELAY, by,
							ms };
	}
	return v;
}

static void compare_room(const struct attackers *t, const struct who *w)
{
	struct attackers_room r;

	attackers_room(t, &w->try, now, &r);
	for (unsigned by = 0; by < ATTACKERS_BY_BLOCK; by++) {
		bool counts = w->try.has_rip && w->name[by][0] &&
			      (by == 0 || !is_usual(w));
		int64_t weight = weight_of(entry_of(w->name[by]));
		int64_t limit = refused_at(by, is_v4(w->name[0]));
		unsigned n = 1;

		MUST((r.key[by] != 0) == counts);
		while (counts && weight + n * 1000LL < limit)
			n++;
		MUST(!counts || r.failures[by] == n);
	}
}

static void compare(const struct attackers *t, const struct who *w)
{
	struct attackers_verdict is = attackers_ask(t, &w->try, now),
				 want = asked(w);

	MUST(is.word == want.word);
	MUST(is.word == ATTACKERS_PASS || is.by == want.by);
	MUST(is.delay == want.delay);
	compare_room(t, w);
	for (size_t i = 0; i < NAMES; i++) {
		const struct entry *e = &entry[i];
		struct span who = span_of(names[i]);

		MUST(attackers_weight(t, who, now) == weight_of(e));
		MUST(attackers_refused(t, who, now) ==
		     (e->there && e->until > now ? e->until - now : 0));
	}
}

/* The steps. */

static bool knows(const struct entry *e, const char *account,
		  const char *password)
{
	for (size_t i = 0; e && i < GUESSES; i++)
		if (e->guess[i][0] == account && e->guess[i][1] == password)
			return true;
	return false;
}

static uint32_t level_of(const struct entry *e)
{
	return now - e->until > ATTACKERS_FORGIVEN_MS ? 0 : e->level;
}

static bool refuse(struct entry *e, int64_t limit)
{
	int64_t ms = ATTACKERS_REFUSE_MS;

	if (e->weight < limit || e->until > now)
		return false;
	for (uint32_t i = level_of(e); i > 0 && ms < ATTACKERS_REFUSE_MAX_MS;
	     i--)
		ms *= 2;
	e->level = level_of(e) < LEVEL_MAX ? level_of(e) + 1 : LEVEL_MAX;
	e->until =
		now +
		(ms < ATTACKERS_REFUSE_MAX_MS ? ms : ATTACKERS_REFUSE_MAX_MS);
	return true;
}

static unsigned fail(const struct who *w, const char *password)
{
	const char *account = accounts[w->account];
	bool guess = account[0] && password[0], again = false;
	unsigned began = 0;

	for (unsigned by = 0; guess && by < ATTACKERS_BY_BLOCK; by++)
		again = again ||
			knows(entry_of(w->name[by]), account, password);
	for (unsigned by = 0; by < ATTACKERS_BY_BLOCK; by++) {
		struct entry *e = entry_of(w->name[by]);

		if (!e)
			continue;
		e->there = true;
		add(e, again ? 100 : 1000);
		if (guess && by != ATTACKERS_BY_NETWORK &&
		    !knows(e, account, password)) {
			e->guess[e->next_guess][0] = account;
			e->guess[e->next_guess][1] = password;
			e->next_guess = (e->next_guess + 1) % GUESSES;
		}
		if (refuse(e,
			   refused_at(by, w->try.has_rip && is_v4(w->name[0]))))
			began |= 1u << by;
	}
	return began;
}

static void step_fail(struct attackers *t, const struct who *w, uint8_t v)
{
	const char *password = passwords[v % 8];

	for (unsigned n = v / 32u + 1; n > 0; n--)
		MUST(attackers_failed(t, &w->try, span_of(password), now) ==
		     fail(w, password));
}

static void make_usual(const struct who *w)
{
	for (size_t i = 0; i < NAMES; i++)
		if (strcmp(names[i], w->name[ATTACKERS_BY_NETWORK]) == 0)
			usual[w->account][i] = now / MINUTE + 1;
}

static void step_succeed(struct attackers *t, const struct who *w)
{
	struct entry *e = entry_of(w->name[ATTACKERS_BY_ADDRESS]);
	int64_t last = 0;

	attackers_succeeded(t, &w->try, now);
	if (!w->try.has_rip)
		return;
	for (size_t i = 0; i < NAMES; i++)
		if (strcmp(names[i], w->name[ATTACKERS_BY_NETWORK]) == 0)
			last = usual[w->account][i];
	make_usual(w);
	if (e->there && (last == 0 || now / MINUTE + 1 - last >= 10))
		add(e, -(weight_of(e) / 2));
}

static void step_usual(struct attackers *t, const struct who *w)
{
	if (!w->try.has_rip)
		return;
	attackers_usual(t, attackers_usual_hash(t, &w->try), now);
	make_usual(w);
}

/* Between a day before and a day after, and a little more. */
static int64_t some_time(uint8_t v)
{
	static const int64_t unit[] = { 1, SECOND, 60 * SECOND, 3600 * SECOND };
	int64_t n = v / 8 * unit[v % 4];

	return v & 4 ? -n : n;
}

static void step_merge(struct attackers *t, struct span *s)
{
	uint8_t who = fuzz_octet(s) % NAMES, how = fuzz_octet(s);
	struct attackers_row r = { .weight = fuzz_octet(s) * 501u,
				   .level = how / 2,
				   .refused = some_time(fuzz_octet(s)),
				   .age = some_time(fuzz_octet(s)),
				   .blocked = how & 1 };
	struct entry *e = &entry[who];
	struct network net;

	(void)snprintf(r.who, sizeof(r.who), "%s", names[who]);
	attackers_merge(t, &r, now);
	if (network_parse(span_of(names[who]), &net))
		blocked_until[who] = r.blocked ? now + r.refused : 0;
	if (r.blocked || (!e->there && faded(r.weight, r.age) == 0 &&
			  r.refused < -(int64_t)ATTACKERS_FORGIVEN_MS))
		return;
	if (!e->changed || r.refused > e->until - now) {
		e->until = now + r.refused;
		e->level = r.level < LEVEL_MAX ? r.level : LEVEL_MAX;
	}
	e->there = true;
	set_weight(e, faded(r.weight, r.age) + e->delta);
}

static bool is_told(const struct entry *e)
{
	return e->changed &&
	       (e->weight >= 2000 || e->delta < 0 || e->until > now);
}

static void compare_change(const struct attackers_change *c, bool untold)
{
	struct entry *e = entry_of(c->who);

	MUST(e && is_told(e));
	MUST(c->delta == e->delta);
	MUST(c->level == level_of(e));
	MUST(c->refused == (e->until > now ? e->until - now : 0));
	e->changed = untold;
	e->delta = untold ? e->delta : 0;
}

static void step_take(struct attackers *t, bool untold)
{
	struct attackers_change c[NAMES];
	size_t want = 0, n;

	for (size_t i = 0; i < NAMES; i++)
		want += is_told(&entry[i]);
	n = attackers_take(t, c, NAMES, now);
	MUST(n == want);
	for (size_t i = 0; i < n; i++) {
		compare_change(&c[i], untold);
		if (untold)
			attackers_untold(t, &c[i]);
	}
}

static void run(struct attackers *t, struct span *s)
{
	unsigned takes = 0;

	for (unsigned i = 0; s->n > 0 && i < STEPS_MAX; i++) {
		uint8_t what = fuzz_octet(s), v = fuzz_octet(s);
		struct who w = who_of(v);

		switch (what % 8) {
		case 0:
		case 1:
		case 2:
			step_fail(t, &w, fuzz_octet(s));
			break;
		case 3:
			step_succeed(t, &w);
			break;
		case 4:
			step_usual(t, &w);
			break;
		case 5:
			now += some_time(v & 0xfbu);
			break;
		case 6:
			step_merge(t, s);
			break;
		case 7:
			if (takes++ < TAKES_MAX)
				step_take(t, v & 1);
			break;
		}
		compare(t, &w);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[SIPHASH_KEY_SIZE] = "0123456789abcdef";
	struct span s = fuzz_input(data, size);
	struct attackers *t = attackers_new(key);

	MUST(t != NULL);
	memset(entry, 0, sizeof(entry));
	memset(usual, 0, sizeof(usual));
	memset(blocked_until, 0, sizeof(blocked_until));
	now = 1000LL * 24 * 3600 * SECOND;
	run(t, &s);
	attackers_free(&t);
	return 0;
}
