#include "tests/unit/poptalk.h"

enum { STATUS_MAX = 512 };

static const struct {
	const char *verb;
	enum poptalk_verb alone, with_number;
} verbs[] = {
	{ "CAPA", TALK_MANY, TALK_OTHER }, { "AUTH", TALK_MANY, TALK_OTHER },
	{ "LIST", TALK_LIST, TALK_OTHER }, { "UIDL", TALK_UIDL, TALK_OTHER },
	{ "STAT", TALK_STAT, TALK_OTHER }, { "RSET", TALK_RSET, TALK_OTHER },
	{ "QUIT", TALK_QUIT, TALK_OTHER }, { "RETR", TALK_OTHER, TALK_RETR },
	{ "TOP", TALK_OTHER, TALK_TOP },   { "DELE", TALK_OTHER, TALK_DELE },
};

static struct span without_trailing(struct span s, char c)
{
	while (s.n && s.p[s.n - 1] == c)
		s.n--;
	return s;
}

void poptalk_note(struct poptalk *t, const struct popstate *s,
		  enum line_status status, struct span line)
{
	struct poptalk_line *l = &t->line[t->lines];
	struct span verb, rest;

	if (t->lines == POPTALK_MAX)
		return;
	t->lines++;
	*l = (struct poptalk_line){ .verb = TALK_OTHER };
	if (status != LINE_OK || s->sasl != SASL_NONE)
		return;
	(void)span_cut(line, ' ', &verb, &rest);
	rest = without_trailing(rest, ' ');
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
		if (span_eq_nocase(verb, span_of(verbs[i].verb)))
			l->verb =
				rest.n ? verbs[i].with_number : verbs[i].alone;
	}
	(void)span_cut(rest, ' ', &verb, &rest);
	if (!span_u64(verb, &l->number))
		l->number = 0;
}

static void is_wrong(struct poptalk *t, const char *why)
{
	if (!t->wrong)
		t->wrong = why;
}

/* A line with its CRLF; false: there is no whole one. */
static bool take_line(struct span *s, struct span *line_r)
{
	const char *end = s->n ? memmem(s->p, s->n, "\r\n", 2) : NULL;

	if (!end)
		return false;
	*line_r = span_head(*s, (size_t)(end - s->p));
	*s = span_skip(*s, line_r->n + 2);
	return true;
}

static bool begins(struct span s, const char *with)
{
	return span_eq(span_head(s, strlen(with)), span_of(with));
}

/* RFC 1939 s.3; no octet of the client's comes back in it. */
static bool take_status(struct poptalk *t, struct span *s, struct span *line_r)
{
	if (!take_line(s, line_r))
		return false;
	if (line_r->n + 2 > STATUS_MAX)
		is_wrong(t, "a status line of more than 512 octets");
	if (!begins(*line_r, "+OK") && !begins(*line_r, "-ERR ") &&
	    !begins(*line_r, "+ "))
		is_wrong(t, "an answer that is none");
	for (size_t i = 0; i < line_r->n; i++) {
		if (line_r->p[i] < 0x20 || line_r->p[i] > 0x7e)
			is_wrong(t, "a status line that is not of ASCII");
	}
	return true;
}

/* The lines up to the single dot, without stuffing; false: they are cut. */
static bool take_body(struct span *s, struct buf *body)
{
	struct span line;

	while (take_line(s, &line)) {
		if (span_is(line, "."))
			return true;
		buf_put_span(body,
			     begins(line, ".") ? span_skip(line, 1) : line);
		buf_puts(body, "\r\n");
	}
	return false;
}

static bool is_live(const struct poptalk *t, const struct poprig *r, size_t i)
{
	return i < r->pop.list.n && !t->marked[i];
}

/* With the empty line that is missing. */
static size_t size_of(const struct poprig *r, size_t i)
{
	return r->mail[i].text.n + (r->mail[i].blank_line ? 2 : 0);
}

static void put_listed(struct buf *b, const struct poprig *r, size_t i,
		       enum poptalk_verb verb)
{
	if (verb == TALK_LIST)
		buf_printf(b, "%zu %zu\r\n", i + 1, size_of(r, i));
	else
		buf_printf(b, "%zu u%llu\r\n", i + 1,
			   (unsigned long long)r->mail[i].uid);
}

static void judge_list(struct poptalk *t, const struct poprig *r,
		       enum poptalk_verb verb, struct span body)
{
	struct buf want = BUF_INIT(1 << 20);

	for (size_t i = 0; i < r->pop.list.n; i++) {
		if (is_live(t, r, i))
			put_listed(&want, r, i, verb);
	}
	if (!span_eq(buf_span(&want), body))
		is_wrong(t, "a list that is not of the mails");
	buf_release(&want);
}

static void judge_stat(struct poptalk *t, const struct poprig *r,
		       struct span status)
{
	struct buf want = BUF_INIT(512);
	size_t n = 0, octets = 0;

	for (size_t i = 0; i < r->pop.list.n; i++) {
		n += is_live(t, r, i);
		octets += is_live(t, r, i) ? size_of(r, i) : 0;
	}
	buf_printf(&want, "+OK %zu %zu", n, octets);
	if (!span_eq(buf_span(&want), status))
		is_wrong(t, "STAT that is not the sum of LIST");
	buf_release(&want);
}

/* A mail may lack its last line end: then the answer has one more. */
static bool is_whole(struct span body, const struct poprig_mail *m)
{
	size_t more = m->blank_line ? 2 : 0;

	if (m->text.n &&
	    (m->text.n < 2 || memcmp(m->text.p + m->text.n - 2, "\r\n", 2)))
		more += 2;
	return body.n == m->text.n + more &&
	       span_eq(span_head(body, m->text.n), m->text);
}

static bool is_beginning(struct span body, const struct poprig_mail *m)
{
	return body.n <= m->text.n && span_eq(span_head(m->text, body.n), body);
}

static void judge_mail(struct poptalk *t, const struct poprig *r,
		       const struct poptalk_line *l, struct span status,
		       struct span body)
{
	const struct poprig_mail *m;
	struct buf want = BUF_INIT(512);
	bool right;

	if (!is_live(t, r, (size_t)l->number - 1)) {
		is_wrong(t, "a mail that is not there was served");
		return;
	}
	m = &r->mail[l->number - 1];
	buf_printf(&want, "+OK %zu octets", size_of(r, l->number - 1));
	if (l->verb == TALK_RETR && !span_eq(status, buf_span(&want)))
		is_wrong(t, "RETR announces another size than LIST");
	right = is_whole(body, m) ||
		(l->verb == TALK_TOP && is_beginning(body, m));
	if (!right && !r->pop.rules.replace_nul)
		is_wrong(t, "a mail with other octets than are stored");
	buf_release(&want);
}

/* A "+OK" with all that belongs to it. */
static void judge_answer(struct poptalk *t, const struct poprig *r,
			 const struct poptalk_line *l, struct span status,
			 struct span body)
{
	if (l->verb == TALK_DELE && is_live(t, r, (size_t)l->number - 1))
		t->marked[l->number - 1] = true;
	else if (l->verb == TALK_DELE)
		is_wrong(t, "what is not there was deleted");
	else if (l->verb == TALK_RSET)
		memset(t->marked, 0, sizeof(t->marked));
	if (r->lenient)
		return;
	if (l->verb == TALK_STAT)
		judge_stat(t, r, status);
	else if (l->verb == TALK_LIST || l->verb == TALK_UIDL)
		judge_list(t, r, l->verb, body);
	else if (l->verb == TALK_RETR || l->verb == TALK_TOP)
		judge_mail(t, r, l, status, body);
}

/* False: the answer is cut. */
static bool judge_line(struct poptalk *t, const struct poprig *r,
		       const struct poptalk_line *l, struct span *said)
{
	struct buf body = BUF_INIT(SIZE_MAX);
	struct span status;
	bool many = l->verb == TALK_MANY || l->verb == TALK_RETR ||
		    l->verb == TALK_TOP || l->verb == TALK_LIST ||
		    l->verb == TALK_UIDL;
	bool whole = take_status(t, said, &status);

	if (whole && begins(status, "+OK")) {
		whole = !many || take_body(said, &body);
		if (whole)
			judge_answer(t, r, l, status, buf_span(&body));
	}
	buf_release(&body);
	return whole;
}

/* RFC 1939 s.6: only QUIT, and only what was marked then. */
static void judge_moves(struct poptalk *t, const struct poprig *r)
{
	bool quit = t->lines && t->line[t->lines - 1].verb == TALK_QUIT;
	bool all = quit && r->pop.ended && r->pop.end == CHAN_END_QUIT &&
		   !r->lenient;

	for (size_t i = 0; i < r->mails; i++) {
		if (r->mail[i].moved && (!quit || !t->marked[i]))
			is_wrong(t, "a mail was deleted that nobody deleted");
		if (all && t->marked[i] && !r->mail[i].moved)
			is_wrong(t, "+OK to QUIT, and a mail is still there");
	}
}

/* The end may add a line of its own to what was answered, not to what was
 * cut. */
static void judge_end(struct poptalk *t, const struct poprig *r,
		      struct span rest, size_t answered, bool cut)
{
	bool idle = !r->pop.ended && r->pop.job == JOB_NONE;
	struct span status;

	if (idle && (answered != t->lines || rest.n))
		is_wrong(t, "not as many answers as commands");
	if (answered + 1 < t->lines)
		is_wrong(t, "a command was not answered");
	if (rest.n && !cut && take_status(t, &rest, &status) &&
	    (!r->pop.ended || !begins(status, "-ERR ")))
		is_wrong(t, "an answer that nobody asked for");
	if (rest.n && !cut)
		is_wrong(t, "octets behind the last answer");
}

const char *poptalk_judge(struct poptalk *t, const struct poprig *r,
			  struct span said, bool greeted)
{
	size_t answered = 0;
	struct span status;

	if (greeted &&
	    (!take_status(t, &said, &status) || !begins(status, "+OK ")))
		is_wrong(t, "no greeting");
	while (answered < t->lines &&
	       judge_line(t, r, &t->line[answered], &said))
		answered++;
	judge_end(t, r, said, answered, answered < t->lines);
	judge_moves(t, r);
	return t->wrong;
}
