/* policy/limits.c: see limits.h. */
#include "policy/limits.h"

#include <stdlib.h>

#include "lib/array.h"

void limits_release(struct limits *l)
{
	free(l->line);
	memset(l, 0, sizeof(*l));
}

bool limits_subject_is(struct span subject, const struct addr *who)
{
	bool domain = subject.n > 0 && subject.p[0] == '@';

	return span_eq(subject, domain ? span_skip(addr_span(who), who->at)
				       : addr_span(who));
}

static bool is_of(const struct limits_line *line, enum limit_direction d,
		  struct span subject)
{
	return line->row.direction == d &&
	       span_eq(span_of(line->subject), subject);
}

static bool concerns(const struct limits_line *line, enum limit_direction d,
		     const struct addr *who)
{
	return line->row.direction == d &&
	       limits_subject_is(span_of(line->subject), who);
}

/* The domain's may be there for another account of it. */
static bool is_open(const struct limits *l, size_t n, enum limit_direction d,
		    struct span subject)
{
	for (size_t i = 0; i < n; i++)
		if (is_of(&l->line[i], d, subject))
			return true;
	return false;
}

static bool add(struct limits *l, const struct limit_row *row,
		struct span subject, bool shadow)
{
	struct limits_line *line =
		array_grow(l->line, l->n, &l->size, sizeof(*line));

	if (!line)
		return false;
	l->line = line;
	line = &l->line[l->n++];
	*line = (struct limits_line){ .row = *row, .shadow = shadow };
	subject = span_head(subject, ADDR_MAX);
	memcpy(line->subject, subject.p, subject.n);
	line->row.subject = SPAN_EMPTY; /* the snapshot does not stay */
	return true;
}

bool limits_open(struct limits *l, const struct snapshot *s,
		 enum limit_direction d, const struct addr *who, bool shadow,
		 size_t *first_r)
{
	const struct limit_row *row[LIMITS_MAX];
	size_t n = snapshot_limits(s, who, d, row), first = l->n;

	*first_r = first;
	for (size_t i = 0; i < n; i++) {
		struct span subject = limit_subject(row[i], who);

		if (is_open(l, first, d, subject))
			continue;
		if (!add(l, row[i], subject, shadow))
			return false;
	}
	return true;
}

void limits_tell(void *limits, const struct usage_row *row)
{
	struct limits *l = limits;

	for (size_t i = 0; i < l->n; i++) {
		struct limits_line *line = &l->line[i];

		if (line->now || line->row.seconds != row->key.seconds ||
		    !is_of(line, row->key.direction, row->key.subject))
			continue;
		line->usage = row->usage;
		line->now = row->now;
	}
}

void limits_drop(struct limits *l, size_t first)
{
	l->n = first;
}

/* The window as it will be when this mail is charged. Without a row, or when it
 * is over, it begins then. */
static struct limit_usage usage_so_far(const struct limits_line *line,
				       int64_t now)
{
	struct limit_usage u = line->usage;

	u.used = limit_used(&line->row, &line->usage, now);
	if (u.used.messages == 0)
		u.started_at = now;
	u.used.recipients += line->recipients;
	return u;
}

/* The longest that one has to wait. */
static bool is_worse(const struct limit_state *a, const struct limit_state *b)
{
	return a->fit > b->fit ||
	       (a->fit == b->fit && a->frees_at > b->frees_at);
}

const struct limits_line *limits_reached(const struct limits *l,
					 enum limit_direction d,
					 const struct addr *who,
					 uint64_t octets, int64_t now,
					 struct limit_state *state_r)
{
	const struct limit_amount more = { 1, 1, octets ? octets : 1 };
	const struct limits_line *found = NULL;

	*state_r = (struct limit_state){ .fit = LIMIT_FITS };
	for (size_t i = 0; i < l->n; i++) {
		const struct limits_line *line = &l->line[i];
		int64_t at = line->now ? line->now : now;
		struct limit_usage u = usage_so_far(line, at);
		struct limit_state s = limit_look(&line->row, &u, &more, at);

		if (!concerns(line, d, who) || !is_worse(&s, state_r))
			continue;
		found = line;
		*state_r = s;
	}
	return found;
}

void limits_count(struct limits *l, enum limit_direction d,
		  const struct addr *who, bool passed)
{
	for (size_t i = 0; i < l->n; i++)
		if (concerns(&l->line[i], d, who)) {
			l->line[i].recipients++;
			l->line[i].passed += passed;
		}
}

static bool charge(const struct limits_line *line, uint64_t recipients,
		   uint64_t octets, unsigned percent, const bool *waived,
		   struct charges *c)
{
	const struct charge one = {
		.usage = { .key = { .subject = span_of(line->subject),
				    .direction = line->row.direction,
				    .seconds = line->row.seconds },
			   .add = { .messages = 1,
				    .recipients = recipients,
				    .octets = octets },
			   .most = limit_most(&line->row),
			   .near = limit_near(&line->row, percent),
			   .always = line->shadow },
		.waived = waived,
	};

	return recipients == 0 || charges_add(c, &one);
}

bool limits_charge(const struct limits *l, uint64_t octets, unsigned percent,
		   struct charges *c)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct limits_line *line = &l->line[i];

		if (!charge(line,
			    line->row.direction == LIMIT_OUT ? line->recipients
							     : line->passed,
			    octets, percent, NULL, c))
			return false;
	}
	return true;
}

bool limits_charge_box(const struct limits *l, const struct addr *box,
		       uint64_t octets, unsigned percent, const bool *duplicate,
		       struct charges *c)
{
	for (size_t i = 0; i < l->n; i++)
		if (concerns(&l->line[i], LIMIT_IN, box) &&
		    !charge(&l->line[i], 1, octets, percent, duplicate, c))
			return false;
	return true;
}

const struct limits_line *limits_find(const struct limits *l,
				      const struct usage_key *k)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->line[i].row.seconds == k->seconds &&
		    is_of(&l->line[i], k->direction, k->subject))
			return &l->line[i];
	return NULL;
}
