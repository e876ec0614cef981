/* ctl/explainid.c: mailrow explain ID: what was decided, on what facts, and
 * whether it would be decided so again. */
#include "ctl/explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "lib/clock.h"
#include "policy/decisionid.h"
#include "sql/decision.h"

enum { RECORDS_MAX = PREDICATE_COUNT + 1 };

/* The rows of a decision. */
struct recorded {
	struct decision *row[RECORDS_MAX];
	size_t n;
};

static bool take_row(void *arg, const struct decision *d)
{
	struct recorded *r = arg;
	size_t octets;

	r->row[r->n] = decision_copy(d, &octets);
	if (r->row[r->n])
		r->n++;
	return r->n < RECORDS_MAX;
}

static void recorded_release(struct recorded *r)
{
	while (r->n > 0)
		free(r->row[--r->n]);
}

/* The row that decided; NULL: accepted, and so perhaps not kept. */
static const struct decision *decided(const struct recorded *r)
{
	return r->row[0]->shadow ? NULL : r->row[0];
}

static const char *outcome(uint64_t smtp)
{
	if (smtp == 0)
		return "accepted";
	return smtp >= 500 ? "rejected" : "deferred";
}

static void put_reply(struct buf *b, uint64_t smtp, struct span enhanced,
		      struct span text)
{
	if (smtp)
		buf_printf(b, "%u ", (unsigned)smtp);
	buf_put_span(b, enhanced);
	if (text.n > 0)
		buf_putc(b, ' ');
	buf_put_span(b, text);
}

static void show_recorded(struct show *s, const struct decision *d)
{
	struct buf detail = BUF_INIT(2048), name = BUF_INIT(64);

	buf_put_span(&detail, d->when);
	buf_puts(&detail, ": ");
	put_reply(&detail, d->smtp, d->text[DECISION_ENHANCED],
		  d->text[DECISION_REPLY]);
	buf_put_span(&name, d->text[DECISION_PREDICATE]);
	show_row(s, "recorded", d->text[DECISION_RECIPIENT], buf_cstr(&name),
		 outcome(d->smtp), d->shadow ? "shadow" : "",
		 buf_span(&detail));
	buf_release(&name);
	buf_release(&detail);
}

static bool is_same(const struct decision *was, const struct verdict *now)
{
	if (!was)
		return now->id == R_NONE;
	return was->smtp == reply_get(now->id)->smtp &&
	       (was->smtp == 0 ||
		span_is(was->text[DECISION_PREDICATE], now->predicate));
}

/* What no facts of ours tell again. */
static bool is_of_the_moment(const struct decision *was)
{
	return was && was->smtp != 0 &&
	       predicate_find(was->text[DECISION_PREDICATE]) == PREDICATE_COUNT;
}

static void compare(void *arg, struct show *s, const struct finding *f)
{
	const struct recorded *r = arg;
	const struct decision *was = decided(r);
	bool same = is_same(was, &f->verdict);

	for (size_t i = 0; i < r->n; i++)
		show_recorded(s, r->row[i]);
	show_row(s, "now", r->row[0]->text[DECISION_RECIPIENT],
		 f->verdict.id == R_NONE ? "" : f->verdict.predicate,
		 same ? "the same" : "different", "",
		 !same && is_of_the_moment(was)
			 ? SPAN_LIT("it hung on what is not kept: the daemon's "
				    "state, other recipients or header fields")
			 : SPAN_EMPTY);
}

static void fill_client(const struct decision *d, bool fold,
			struct judge_client *c)
{
	static bool login_known = true;
	struct span login = d->text[DECISION_LOGIN];

	if (!judge_role_find(d->text[DECISION_WAY], &c->role))
		c->role = JUDGE_STORE;
	c->has_addr = ipaddr_parse(d->text[DECISION_CLIENT], &c->addr);
	c->port = (unsigned)d->port;
	c->tls = d->text[DECISION_TLS].n > 0;
	c->helo = d->text[DECISION_HELO];
	c->authenticated = login.n > 0;
	if (addr_parse(login, fold, &c->login) != ADDR_OK)
		c->login.n = 0;
	if (span_is(d->text[DECISION_PREDICATE], "login_deleted"))
		c->login_known = &login_known;
}

static int explain_recorded(struct tool *t, struct recorded *r)
{
	static struct situation w;
	const struct decision *d = r->row[0];

	w.sender = d->text[DECISION_SENDER];
	w.size = d->size;
	if (d->text[DECISION_RECIPIENT].n > 0)
		w.rcpt[w.nrcpt++] = d->text[DECISION_RECIPIENT];
	w.has_header = d->text[DECISION_HEADER_FROM].n > 0;
	if (w.has_header)
		authors_take(&w.authors, SPAN_LIT("From"),
			     d->text[DECISION_HEADER_FROM],
			     t->conf->fold_local_part);
	fill_client(d, t->conf->fold_local_part, &w.client);
	return explain_situation(t, &w, compare, r);
}

static int none_there(const char *id, int64_t made)
{
	int64_t hours = (clock_unix() - made) / 3600;

	return tool_fail(EX_NOUSER,
			 "there is no decision '%s': it was made %lld hours "
			 "ago, or never; see decision_log and decision_keep",
			 id, (long long)(hours > 0 ? hours : 0));
}

int explain_decision(struct tool *t, const char *text)
{
	char id[DECISIONID_LENGTH + 1];
	struct recorded r = { .n = 0 };
	int64_t made;
	int code;

	if (!decisionid_decode(span_of(text), clock_unix(), id, &made))
		return tool_fail(EX_DATAERR,
				 "'%s' is no id of a decision: ten letters and "
				 "digits from the end of a reply",
				 text);
	if (!tool_db(t))
		return EX_UNAVAILABLE;
	if (decision_find(t->db, span_of(id), take_row, &r) != NATIVE_OK)
		code = tool_native_result(t, NATIVE_FAILED, id);
	else if (r.n == 0)
		code = none_there(id, made);
	else
		code = explain_recorded(t, &r);
	recorded_release(&r);
	return code;
}
