/* sql/profile.c: the profile file: "key = value", a leading blank continues,
 * lines that begin with # are comments. The statements are read by sqlscan.c.
 */
#include "sql/profile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "sql/readfile.h"
#include "sql/sqlscan.h"

enum { PROFILE_FILE_MAX = 256 * 1024 };

#define PP(p) (1U << (p))

static const char *const param_names[PP_COUNT] = {
	[PP_ADDRESS] = "address", [PP_LOCAL] = "local",
	[PP_DOMAIN] = "domain",   [PP_LOGIN] = "login",
	[PP_SENDER] = "sender",   [PP_HASH] = "hash",
	[PP_OLD] = "old",
};

static const char *const domain_columns[] = { "name", "active", "alias_of",
					      NULL };
static const char *const mailbox_columns[] = { "name", "active", "quota",
					       "incarnation", NULL };
static const char *const login_columns[] = {
	"login", "mailbox",     "hash",    "active",   "smtp",
	"pop3",  "incarnation", "expired", "networks", NULL
};
static const char *const state_columns[] = { "login", "active",  "smtp",
					     "pop3",  "expired", "incarnation",
					     NULL };
static const char *const no_columns[] = { NULL };
static const char *const alias_columns[] = { "name", "target", NULL };
static const char *const sender_columns[] = { "login", "sender", NULL };

static const struct {
	const char *name;
	unsigned params; /* those that may stand in it */
	size_t required;
	const char *const *columns;
	bool optional; /* may be set to nothing */
	unsigned must; /* parameters that must stand in it */
	bool absent;   /* may be missing altogether */
} query_rows[PQ_COUNT] = {
	[PQ_DOMAIN] = { "domain_query", PP(PP_DOMAIN), 2, domain_columns, false,
			0, false },
	[PQ_MAILBOX] = { "mailbox_query",
			 PP(PP_ADDRESS) | PP(PP_LOCAL) | PP(PP_DOMAIN), 2,
			 mailbox_columns, false, 0, false },
	[PQ_LOGIN] = { "login_query",
		       PP(PP_LOGIN) | PP(PP_LOCAL) | PP(PP_DOMAIN), 4,
		       login_columns, false, 0, false },
	[PQ_ALIAS] = { "alias_query",
		       PP(PP_ADDRESS) | PP(PP_LOCAL) | PP(PP_DOMAIN), 2,
		       alias_columns, true, 0, false },
	[PQ_SENDER] = { "sender_query",
			PP(PP_LOGIN) | PP(PP_SENDER) | PP(PP_LOCAL) |
				PP(PP_DOMAIN),
			1, sender_columns, true, 0, false },
	[PQ_STATE] = { "state_query",
		       PP(PP_LOGIN) | PP(PP_LOCAL) | PP(PP_DOMAIN), 2,
		       state_columns, true, 0, true },
	[PQ_REHASH] = { "rehash_query",
			PP(PP_LOGIN) | PP(PP_LOCAL) | PP(PP_DOMAIN) |
				PP(PP_HASH) | PP(PP_OLD),
			0, no_columns, true, PP(PP_HASH) | PP(PP_OLD), true },
};

const char *profile_query_name(enum profile_query q)
{
	return query_rows[q].name;
}

const char *const *profile_columns(enum profile_query q, size_t *required_r)
{
	*required_r = query_rows[q].required;
	return query_rows[q].columns;
}

/* What the parser carries along. */
struct reading {
	const char *file;
	struct profile *p;
	struct buf *problems;
	bool failed;
	bool has_accounts;
};

static void complain(struct reading *r, unsigned line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void complain(struct reading *r, unsigned line, const char *fmt, ...)
{
	va_list ap;

	r->failed = true;
	buf_printf(r->problems, "%s:%u: ", r->file, line);
	va_start(ap, fmt);
	buf_vprintf(r->problems, fmt, ap);
	va_end(ap);
	buf_putc(r->problems, '\n');
}

/* What sqlscan.c calls for each :name. */
struct statement_reading {
	struct reading *r;
	struct profile_statement *s;
	enum profile_query q;
};

static bool take_param(void *arg, struct span name, unsigned line)
{
	struct statement_reading *sr = arg;
	struct profile_statement *s = sr->s;

	for (unsigned i = 0; i < PP_COUNT; i++) {
		if (!span_is(name, param_names[i]) ||
		    !(query_rows[sr->q].params & PP(i)))
			continue;
		if (s->nparam == PROFILE_PARAMS_MAX) {
			complain(sr->r, line, "more than %d parameters",
				 PROFILE_PARAMS_MAX);
			return false;
		}
		s->param[s->nparam++] = (enum profile_param)i;
		return true;
	}
	complain(sr->r, line, "%s knows no parameter ':%.*s'",
		 query_rows[sr->q].name, (int)span_head(name, 64).n, name.p);
	return false;
}

static bool has_params(const struct profile_statement *s, unsigned must)
{
	unsigned has = 0;

	for (size_t i = 0; i < s->nparam; i++)
		has |= PP(s->param[i]);
	return (must & ~has) == 0;
}

static void take_query(struct reading *r, enum profile_query q,
		       struct span value, unsigned line)
{
	struct profile_statement *s = &r->p->query[q];
	struct statement_reading sr = { r, s, q };
	struct buf text = BUF_INIT(PROFILE_FILE_MAX);
	unsigned at = line;
	const char *mistake;

	if (s->line > 0) {
		complain(r, line, "%s is set twice (first in line %u)",
			 query_rows[q].name, s->line);
		return;
	}
	s->line = line;
	if (query_rows[q].optional && span_trim(value).n == 0)
		return;
	mistake = q == PQ_REHASH
			  ? sqlscan_update(value, &at, take_param, &sr, &text)
			  : sqlscan_select(value, &at, take_param, &sr, &text);
	if (mistake && *mistake)
		complain(r, at, "%s: %s", query_rows[q].name, mistake);
	if (!mistake && !buf_ok(&text))
		mistake = "out of memory";
	if (!mistake && !has_params(s, query_rows[q].must))
		complain(r, line, "%s must name :hash and :old",
			 query_rows[q].name);
	if (!mistake) {
		s->text = strdup(buf_cstr(&text));
		s->n = s->text ? text.n : 0;
	}
	if (mistake || s->n == 0)
		r->failed = true;
	buf_release(&text);
}

static void take_accounts(struct reading *r, struct span value, unsigned line)
{
	if (r->has_accounts)
		complain(r, line, "accounts is set twice");
	r->has_accounts = true;
	if (span_is(value, "ours"))
		r->p->ours = true;
	else if (!span_is(value, "site"))
		complain(r, line, "accounts is not 'ours' or 'site'");
}

static void take_setting(struct reading *r, struct span key, struct span value,
			 unsigned line)
{
	if (span_is(key, "accounts")) {
		take_accounts(r, span_trim(value), line);
		return;
	}
	for (unsigned q = 0; q < PQ_COUNT; q++)
		if (span_is(key, query_rows[q].name)) {
			take_query(r, (enum profile_query)q, value, line);
			return;
		}
	complain(r, line,
		 "unknown key '%.*s'; known: accounts, domain_query,"
		 " mailbox_query, login_query, alias_query, sender_query,"
		 " state_query, rehash_query",
		 (int)span_head(key, 64).n, key.p);
}

/* One logical line: the settings of a key, with its continuation lines. */
struct pending {
	struct span key;
	struct buf value;
	unsigned line;
};

static void flush_pending(struct reading *r, struct pending *p)
{
	if (p->key.n > 0)
		take_setting(r, p->key, buf_span(&p->value), p->line);
	p->key = SPAN_EMPTY;
	buf_reset(&p->value);
}

static void take_line(struct reading *r, struct pending *p, struct span line,
		      unsigned number)
{
	struct span text = span_trim(line), key, value;

	if (text.n > 0 && *text.p == '#')
		text = SPAN_EMPTY;
	if (text.n == 0 || *line.p == ' ' || *line.p == '\t') {
		/* line ends are kept: they end SQL comments and count lines */
		if (text.n > 0 && p->key.n == 0)
			complain(r, number, "continues no setting");
		buf_putc(&p->value, '\n');
		buf_put_span(&p->value, text);
		return;
	}
	flush_pending(r, p);
	if (!span_cut(text, '=', &key, &value)) {
		complain(r, number, "not 'key = value'");
		return;
	}
	p->key = span_trim(key);
	p->line = number;
	buf_put_span(&p->value, value);
	if (p->key.n == 0)
		complain(r, number, "no key before '='");
}

static void read_lines(struct reading *r, struct span text)
{
	struct pending p = { SPAN_EMPTY, BUF_INIT(PROFILE_FILE_MAX), 0 };
	struct span line;
	unsigned number = 0;

	while (text.n > 0) {
		span_cut(text, '\n', &line, &text);
		take_line(r, &p, line, ++number);
	}
	flush_pending(r, &p);
	buf_release(&p.value);
	for (unsigned q = 0; q < PQ_COUNT; q++)
		if (r->p->query[q].line == 0 && !query_rows[q].absent) {
			r->failed = true;
			buf_printf(r->problems, "%s: %s is missing\n", r->file,
				   query_rows[q].name);
		}
}

struct profile *profile_parse(const char *file, struct span text,
			      struct buf *problems)
{
	struct reading r = { .file = file, .problems = problems };

	r.p = calloc(1, sizeof(*r.p));
	if (!r.p) {
		buf_printf(problems, "%s: out of memory\n", file);
		return NULL;
	}
	if (memchr(text.p, '\0', text.n)) {
		buf_printf(problems, "%s: holds a NUL octet\n", file);
		r.failed = true;
	} else {
		read_lines(&r, text);
	}
	if (r.failed)
		profile_free(&r.p);
	return r.p;
}

void profile_free(struct profile **p)
{
	if (!*p)
		return;
	for (unsigned q = 0; q < PQ_COUNT; q++)
		free((*p)->query[q].text);
	free(*p);
	*p = NULL;
}

struct profile *profile_load(const char *dir, const char *name,
			     struct buf *problems)
{
	struct buf path = BUF_INIT(4096);
	struct buf text = BUF_INIT(PROFILE_FILE_MAX);
	struct profile *p = NULL;

	buf_printf(&path, "%s/%s.conf", dir, name);
	if (!*name || strchr(name, '/') || strlen(name) >= sizeof(p->name))
		buf_printf(problems, "'%s' is no name of a profile\n", name);
	else if (!readfile(buf_cstr(&path), &text, NULL))
		buf_printf(problems, "cannot read '%s': %s\n", buf_cstr(&path),
			   strerror(errno));
	else
		p = profile_parse(buf_cstr(&path), buf_span(&text), problems);
	if (p)
		snprintf(p->name, sizeof(p->name), "%s", name);
	buf_release(&path);
	buf_release(&text);
	return p;
}
