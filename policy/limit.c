/* policy/limit.c: see limit.h. The statement that charges (Q_USAGE_CHARGE)
 * says the same again in SQL; a test compares them. */
#include "policy/limit.h"

#include "lib/trace.h"

enum { MINUTE = 60, HOUR = 3600, DAY = 86400 };

struct span limit_subject(const struct limit_row *row, const struct addr *a)
{
	if (row->subject.n && row->subject.p[0] == '@')
		return span_skip(addr_span(a), a->at);
	return addr_span(a);
}

struct limit_amount limit_most(const struct limit_row *row)
{
	return (struct limit_amount){
		.messages = row->has_messages ? row->messages : UINT64_MAX,
		.recipients =
			row->has_recipients ? row->recipients : UINT64_MAX,
		.octets = row->has_octets ? row->octets : UINT64_MAX,
	};
}

static int64_t window_end(const struct limit_row *row,
			  const struct limit_usage *u)
{
	return u->started_at + (int64_t)row->seconds;
}

static bool is_over(const struct limit_row *row, const struct limit_usage *u,
		    int64_t now)
{
	return window_end(row, u) <= now ||
	       u->started_at > now + LIMIT_CLOCK_SKEW;
}

struct limit_amount limit_used(const struct limit_row *row,
			       const struct limit_usage *u, int64_t now)
{
	if (is_over(row, u, now))
		return (struct limit_amount){ 0, 0, 0 };
	return u->used;
}

static enum limit_fit fit(uint64_t used, uint64_t add, uint64_t most)
{
	if (add > most)
		return LIMIT_NEVER;
	return used <= most - add ? LIMIT_FITS : LIMIT_LATER;
}

/* The worst of the three, and of those the first. */
static void look_at(struct limit_state *s, enum limit_what what, uint64_t used,
		    uint64_t add, uint64_t most)
{
	enum limit_fit f = fit(used, add, most);

	if (f <= s->fit)
		return;
	s->fit = f;
	s->what = what;
	s->most = most;
}

struct limit_state limit_look(const struct limit_row *row,
			      const struct limit_usage *u,
			      const struct limit_amount *add, int64_t now)
{
	struct limit_amount used = limit_used(row, u, now),
			    most = limit_most(row);
	struct limit_state s = { .fit = LIMIT_FITS };

	look_at(&s, LIMIT_MESSAGES, used.messages, add->messages,
		most.messages);
	look_at(&s, LIMIT_RECIPIENTS, used.recipients, add->recipients,
		most.recipients);
	look_at(&s, LIMIT_OCTETS, used.octets, add->octets, most.octets);
	if (s.fit == LIMIT_LATER)
		s.frees_at = window_end(row, u);
	return s;
}

static uint64_t part(uint64_t most, unsigned percent)
{
	if (percent == 0 || most == UINT64_MAX)
		return UINT64_MAX;
	return most / 100 * percent + (most % 100 * percent + 99) / 100;
}

struct limit_amount limit_near(const struct limit_row *row, unsigned percent)
{
	struct limit_amount most = limit_most(row);

	return (struct limit_amount){
		.messages = part(most.messages, percent),
		.recipients = part(most.recipients, percent),
		.octets = part(most.octets, percent),
	};
}

static const struct {
	unsigned seconds;
	const char *name;
} units[] = {
	{ DAY, "day" },
	{ HOUR, "hour" },
	{ MINUTE, "minute" },
	{ 1, "second" },
};

void limit_put_time(struct buf *out, uint64_t seconds)
{
	size_t i = 0;
	uint64_t n;

	while (units[i].seconds > 1 &&
	       (seconds == 0 || seconds % units[i].seconds != 0))
		i++;
	n = seconds / units[i].seconds;
	buf_printf(out, "%llu %s%s", (unsigned long long)n, units[i].name,
		   n == 1 ? "" : "s");
}

void limit_put_state(struct buf *out, const struct limit_row *row,
		     const struct limit_state *s)
{
	buf_printf(out, "%llu %s in ", (unsigned long long)s->most,
		   limit_what_name(s->what));
	limit_put_time(out, row->seconds);
	if (s->fit == LIMIT_NEVER) {
		buf_puts(out, ", less than this mail");
		return;
	}
	buf_puts(out, ", free again at ");
	trace_put_date(out, (s->frees_at + MINUTE - 1) / MINUTE * MINUTE);
}

const char *limit_direction_name(enum limit_direction d)
{
	static const char *const names[] = {
		[LIMIT_OUT] = "out", [LIMIT_IN] = "in"
	};

	return names[d];
}

const char *limit_what_name(enum limit_what what)
{
	static const char *const names[] = {
		[LIMIT_MESSAGES] = "messages",
		[LIMIT_RECIPIENTS] = "recipients",
		[LIMIT_OCTETS] = "octets",
	};

	return names[what];
}
