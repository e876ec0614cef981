/* policy/judge_limits.c: does a recipient fit into the limits of who sends and
 * of who receives? What was used before is read once a mail and subject, and
 * only where there is a limit. */
#include "policy/judgeint.h"

#include <stdio.h>

#include "lib/clock.h"
#include "policy/notice.h"
#include "policy/refresh.h"

static enum policy_mode mode_of(const struct judging *g, enum limit_direction d)
{
	return d == LIMIT_OUT
		       ? (enum policy_mode)g->message->modes.mode[P_LIMIT_OUT]
		       : (enum policy_mode)g->modes.mode[P_LIMIT_IN];
}

/* False: nobody can tell. */
static bool open_lines(struct judging *g, enum limit_direction d,
		       const struct addr *who)
{
	struct limits *l = &g->message->limits;
	struct snapshot *s = snapshot_get(g->l.j->policy);
	size_t first = l->n;
	bool ok;

	if (!s)
		return false;
	ok = limits_open(l, s, d, who, mode_of(g, d) == M_SHADOW, &first);
	snapshot_put(&s);
	if (ok && l->n > first)
		ok = lookup_usage(&g->l, d, who, limits_tell, l);
	if (!ok)
		limits_drop(l, first);
	return ok;
}

static enum fact look(struct judging *g, enum limit_direction d,
		      const struct addr *who, struct facts *f)
{
	struct judge_message *m = g->message;
	const struct limits_line *line;
	struct limit_state state;

	if (!open_lines(g, d, who))
		return F_TEMP;
	line = limits_reached(&m->limits, d, who, m->size, clock_unix(),
			      &state);
	if (!line)
		return F_NO;
	judge_limit_words(m, line, &state);
	f->limit_hard |= state.fit == LIMIT_NEVER && !m->only_stored;
	if (state.fit == LIMIT_LATER && !g->l.j->look_only)
		notice_refused(line);
	return F_YES;
}

void judge_limit(struct judging *g, enum limit_direction d,
		 const struct addr *who, struct facts *f)
{
	const struct judge_message *m = g->message;
	enum fact reached = F_NO;

	if (who->n > 0 && g->l.j->policy && !m->unlimited &&
	    (d == LIMIT_IN || !m->only_stored) && mode_of(g, d) != M_OFF)
		reached = look(g, d, who, f);
	*(d == LIMIT_OUT ? &f->limit_out : &f->limit_in) = reached;
}

static void count_target(struct judging *g, const struct judged_target *t)
{
	bool passed = t->kind == JUDGED_PASS;

	if (judged_stores(t) || (passed && g->client->role != JUDGE_STORE))
		limits_count(&g->message->limits, LIMIT_IN, &t->address,
			     passed);
}

void judge_limit_count(struct judging *g)
{
	struct limits *l = &g->message->limits;

	if (l->n == 0)
		return;
	limits_count(l, LIMIT_OUT, &g->message->subject, false);
	if (g->passed)
		limits_count(l, LIMIT_IN, &g->rcpt, true);
	for (size_t i = 0; i < g->r->n; i++)
		count_target(g, &g->r->target[i]);
}

void judge_limit_words(struct judge_message *m, const struct limits_line *line,
		       const struct limit_state *state)
{
	struct buf text = BUF_INIT(sizeof(m->limited_text));

	memcpy(m->limited, line->subject, sizeof(m->limited));
	buf_puts(&text, ": ");
	limit_put_state(&text, &line->row, state);
	(void)snprintf(m->limited_text, sizeof(m->limited_text), "%s",
		       buf_cstr(&text));
	buf_release(&text);
}

/* What was read says it already, or others have filled it since. */
static struct limit_state state_at_end(const struct limits_line *line,
				       const struct limit_amount *add)
{
	int64_t at = line->now ? line->now : clock_unix();
	struct limit_amount most = limit_most(&line->row);
	struct limit_usage u = line->usage;
	struct limit_state s;

	u.used = limit_used(&line->row, &line->usage, at);
	if (u.used.messages == 0)
		u.started_at = at;
	s = limit_look(&line->row, &u, add, at);
	if (s.fit != LIMIT_FITS)
		return s;
	u.used.messages = line->row.has_messages ? most.messages : 0;
	u.used.recipients = line->row.has_recipients ? most.recipients : 0;
	u.used.octets = line->row.has_octets ? most.octets : 0;
	return limit_look(&line->row, &u, add, at);
}

static enum reply_id reached(struct judge_message *m,
			     const struct limits_line *line,
			     const struct limit_amount *add)
{
	struct limit_state state = state_at_end(line, add);
	bool hard = m->facts.limit_hard ||
		    (state.fit == LIMIT_NEVER && !m->only_stored);

	judge_limit_words(m, line, &state);
	if (state.fit == LIMIT_LATER)
		notice_refused(line);
	if (line->row.direction == LIMIT_OUT)
		return hard ? R_LIMIT_OUT_HARD : R_LIMIT_OUT;
	return hard ? R_LIMIT_IN_HARD : R_LIMIT_IN;
}

enum reply_id judge_limit_reached(struct judge_message *m,
				  const struct charges *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct limits_line *line;

		if (!c->v[i].reached_r)
			continue;
		line = limits_find(&m->limits, &c->v[i].usage.key);
		if (line)
			return reached(m, line, &c->v[i].usage.add);
	}
	return R_DELIVER_TEMP;
}
