/* tests/fuzz/fuzz_limit.c: windows of limits against a plain model that keeps
 * every charge and its time, and adds them up anew each time. Input: the
 * limits, then charges with the time that has passed before each. */
#include "tests/fuzz/fuzz.h"

#include "policy/limit.h"

enum { CHARGES = 200 };

struct event {
	int64_t at;
	struct limit_amount add;
};

static struct event event[CHARGES];
static size_t nevents, first; /* of the window under way */

/* Small, or as large as there is; 0: no limit. */
static bool take_most(struct span *in, uint64_t *most_r)
{
	uint8_t v = fuzz_octet(in);

	*most_r = v >= 250 ? UINT64_MAX - 255U + v : v;
	return v != 0;
}

static struct limit_row take_row(struct span *in)
{
	struct limit_row r = { .seconds = 60 + fuzz_octet(in) % 4 * 1800U };

	r.has_messages = take_most(in, &r.messages);
	r.has_recipients = take_most(in, &r.recipients);
	r.has_octets = take_most(in, &r.octets);
	return r;
}

/* Seconds, minutes, or hours; sometimes back. */
static int64_t take_time(struct span *in)
{
	static const int64_t unit[] = { 1, 30, 600, 7200 };
	uint8_t v = fuzz_octet(in);

	return (v & 0x80 ? -1 : 1) * unit[v >> 5 & 3] * (v & 31);
}

/* The window as the sum of what lies in it. */
static bool in_window(const struct limit_row *r, int64_t now)
{
	return first < nevents && now - event[first].at < r->seconds &&
	       event[first].at - now <= LIMIT_CLOCK_SKEW;
}

static uint64_t sum(const struct limit_row *r, int64_t now,
		    enum limit_what what)
{
	uint64_t n = 0;

	for (size_t i = first; in_window(r, now) && i < nevents; i++)
		n += what == LIMIT_MESSAGES     ? event[i].add.messages
		     : what == LIMIT_RECIPIENTS ? event[i].add.recipients
						: event[i].add.octets;
	return n;
}

static bool fits_one(const struct limit_row *r, const struct limit_amount *add,
		     int64_t now, enum limit_what what)
{
	const uint64_t more[] = { add->messages, add->recipients, add->octets };
	const uint64_t most[] = { r->messages, r->recipients, r->octets };
	const bool has[] = { r->has_messages, r->has_recipients,
			     r->has_octets };

	return !has[what] || sum(r, now, what) + more[what] <= most[what];
}

static bool model_fits(const struct limit_row *r,
		       const struct limit_amount *add, int64_t now)
{
	return fits_one(r, add, now, LIMIT_MESSAGES) &&
	       fits_one(r, add, now, LIMIT_RECIPIENTS) &&
	       fits_one(r, add, now, LIMIT_OCTETS);
}

static void model_charge(const struct limit_row *r,
			 const struct limit_amount *add, int64_t now)
{
	if (!in_window(r, now))
		first = nevents;
	event[nevents++] = (struct event){ now, *add };
}

/* As Q_USAGE_CHARGE does it. */
static void charge(const struct limit_row *r, struct limit_usage *u,
		   const struct limit_amount *add, int64_t now)
{
	struct limit_amount used = limit_used(r, u, now);

	if (used.messages == 0)
		u->started_at = now;
	u->used.messages = used.messages + add->messages;
	u->used.recipients = used.recipients + add->recipients;
	u->used.octets = used.octets + add->octets;
}

static void check_later(const struct limit_row *r, const struct limit_state *s,
			const struct limit_amount *add, int64_t now)
{
	if (s->fit == LIMIT_LATER) {
		MUST(s->frees_at > now || event[first].at > now);
		MUST(model_fits(r, add, s->frees_at));
		MUST(!model_fits(r, add, s->frees_at - 1));
	}
	if (s->fit == LIMIT_NEVER)
		MUST(!model_fits(r, add, now + 10 * LIMIT_SECONDS_MAX));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = fuzz_input(data, size);
	struct limit_row r = take_row(&in);
	struct limit_usage u = { .started_at = 0 };
	int64_t now = 1795839061;

	nevents = first = 0;
	while (in.n > 0 && nevents < CHARGES) {
		struct limit_amount add = { 1, 0, 0 };
		struct limit_state s;

		now += take_time(&in);
		add.recipients = 1U + fuzz_octet(&in) % 16U;
		add.octets = fuzz_octet(&in);
		s = limit_look(&r, &u, &add, now);
		MUST((s.fit == LIMIT_FITS) == model_fits(&r, &add, now));
		check_later(&r, &s, &add, now);
		if (s.fit != LIMIT_FITS)
			continue;
		charge(&r, &u, &add, now);
		model_charge(&r, &add, now);
	}
	return 0;
}
