/* ctl/tool.c: what the verbs share: connection, profile, arguments. */
#include "ctl/tool.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "ctl/out.h"

int tool_fail(int code, const char *fmt, ...)
{
	va_list ap;

	fputs("mailrow: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return code;
}

/* Lines of a problems buffer, each under our name. */
static void print_problems(struct buf *why)
{
	struct span rest, line;

	buf_cstr(why);
	rest = span_trim(buf_span(why));
	while (rest.n > 0) {
		span_cut(rest, '\n', &line, &rest);
		tool_fail(0, "%.*s", (int)line.n, line.p);
	}
}

/* NULL after a message. */
static struct db_target *make_target(struct tool *t, enum program self,
				     enum db_role role)
{
	struct buf why = BUF_INIT(8192);
	struct db_target *target = db_target_new(t->conf, self, role, &why);

	if (!target)
		print_problems(&why);
	buf_release(&why);
	return target;
}

/* NULL after a message. */
static struct db *connect_to(const struct db_target *target, bool any)
{
	struct db *db = db_new(target);

	if (!db) {
		tool_fail(0, "out of memory");
		return NULL;
	}
	if (any)
		db_take_any_server(db);
	if (db_connect(db) != DB_OK) {
		tool_fail(0, "cannot use the database: %s", db_why(db));
		db_free(&db);
	}
	return db;
}

static struct db *connect_store(struct tool *t, enum program self, bool any)
{
	if (t->db)
		return t->db;
	if (!t->target)
		t->target = make_target(t, self, DB_STORE);
	if (!t->target)
		return NULL;
	t->self = self;
	t->db = connect_to(t->target, any);
	return t->db;
}

struct db *tool_db(struct tool *t)
{
	return connect_store(t, PROG_TOOL, false);
}

struct db *tool_db_purge(struct tool *t)
{
	return connect_store(t, PROG_PURGE, false);
}

struct db *tool_db_mender(struct tool *t)
{
	if (!t->mender_target)
		t->mender_target = make_target(t, PROG_PURGE, DB_STORE);
	if (t->mender_target && !t->mender)
		t->mender = connect_to(t->mender_target, false);
	return t->mender;
}

struct db *tool_accounts(struct tool *t)
{
	if (!t->accounts_target)
		t->accounts_target = make_target(t, t->self, DB_ACCOUNTS);
	if (!t->accounts_target)
		return NULL;
	if (db_target_same(t->target, t->accounts_target))
		return t->db;
	if (!t->accounts)
		t->accounts = db_new(t->accounts_target);
	if (!t->accounts) {
		tool_fail(0, "out of memory");
	} else if (db_connect(t->accounts) != DB_OK) {
		tool_fail(0, "cannot use the accounts' database: %s",
			  db_why(t->accounts));
		db_free(&t->accounts);
	}
	return t->accounts;
}

struct db *tool_db_any(struct tool *t)
{
	return connect_store(t, PROG_TOOL, true);
}

struct profile *tool_profile(struct tool *t)
{
	struct buf problems = BUF_INIT(1 << 16);

	if (!t->profile)
		t->profile = profile_load(t->conf->profile_dir,
					  t->conf->profile, &problems);
	if (t->profile)
		t->profile->keep_case = !t->conf->fold_local_part;
	else
		print_problems(&problems);
	buf_release(&problems);
	return t->profile;
}

bool tool_owns_accounts(struct tool *t)
{
	const struct profile *p = tool_profile(t);

	if (p && !p->ours)
		tool_fail(0,
			  "the accounts belong to the panel (profile = %s); "
			  "change them there",
			  p->name);
	return p && p->ours;
}

bool tool_address(struct tool *t, const char *text, struct addr *a_r)
{
	enum addr_status s;

	s = addr_parse(span_of(text), t->conf->fold_local_part, a_r);
	if (s == ADDR_OK)
		return true;
	tool_fail(0, "'%s' is no mail address: %s", text, addr_status_text(s));
	return false;
}

bool tool_domain(const char *text, char out[ADDR_DOMAIN_MAX + 1])
{
	enum addr_status s;
	size_t n;

	s = addr_domain_parse(span_of(text), out, &n);
	if (s == ADDR_OK)
		return true;
	tool_fail(0, "'%s' is no domain: %s", text, addr_status_text(s));
	return false;
}

/* "0", "1048576", "100M" */
bool tool_octets(const char *text, uint64_t *octets_r)
{
	struct span s = span_of(text);
	unsigned shift = 0;

	if (s.n > 1)
		switch (s.p[s.n - 1]) {
		case 'K':
			shift = 10;
			break;
		case 'M':
			shift = 20;
			break;
		case 'G':
			shift = 30;
			break;
		default:
			break;
		}
	if (span_u64(span_head(s, s.n - (shift > 0)), octets_r) &&
	    *octets_r <= UINT64_MAX >> 1 >> shift) {
		*octets_r <<= shift;
		return true;
	}
	tool_fail(0,
		  "'%s' is no number of octets: a number, or one with K, M or "
		  "G behind it; 0 means no limit",
		  text);
	return false;
}

int tool_native_result(struct tool *t, enum native_result r,
		       const char *subject)
{
	switch (r) {
	case NATIVE_OK:
		return EX_OK;
	case NATIVE_NONE:
		return tool_fail(EX_NOUSER, "there is no '%s'", subject);
	case NATIVE_EXISTS:
		return tool_fail(EX_CANTCREAT, "'%s' exists already", subject);
	case NATIVE_NO_DOMAIN:
		return tool_fail(EX_NOHOST,
				 "the domain of '%s' is not there; first: "
				 "mailrow domain add DOMAIN",
				 subject);
	case NATIVE_IN_USE:
		return tool_fail(EX_CANTCREAT,
				 "'%s' still has accounts; see: mailrow "
				 "account list %s",
				 subject, subject);
	case NATIVE_FAILED:
		break;
	}
	return tool_fail(EX_TEMPFAIL, "the database did not do it: %s",
			 db_why(t->db));
}

/* Of a process that has ended and was not waited for, the state is Z. */
bool tool_daemon_runs(pid_t pid, const char *name)
{
	char path[64], comm[17] = "", state = 'Z';
	FILE *in;

	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	in = fopen(path, "r");
	if (!in)
		return false;
	if (fscanf(in, "%*d (%16[^)]) %c", comm, &state) != 2)
		state = 'Z';
	(void)fclose(in);
	return state != 'Z' && strncmp(comm, name, 15) == 0;
}

bool tool_name(struct tool *t, const char *text, struct addr *a_r)
{
	if (span_find(span_of(text), '@') < span_of(text).n)
		return tool_address(t, text, a_r);
	return tool_domain(text, a_r->text);
}

/* "example.org", ".example.org" */
static bool is_bare_domain(struct span s)
{
	return span_find(s, '@') == s.n && !span_is(s, "*") &&
	       !span_is(s, "<>");
}

static bool pattern_of(struct tool *t, const char *text, unsigned forms,
		       struct pattern *p_r)
{
	struct buf s = BUF_INIT(PATTERN_MAX);
	bool ok;

	if (is_bare_domain(span_of(text)))
		buf_putc(&s, '@');
	buf_puts(&s, text);
	ok = buf_ok(&s) &&
	     pattern_parse(buf_span(&s), forms, t->conf->fold_local_part, p_r);
	buf_release(&s);
	return ok;
}

bool tool_pattern(struct tool *t, const char *text, unsigned forms,
		  struct pattern *p_r)
{
	if (pattern_of(t, text, forms, p_r))
		return true;
	tool_fail(0, "'%s' cannot stand here; see mailrow(1)", text);
	return false;
}

int tool_set(struct tool *t, enum query_id q, const struct sqlval *param)
{
	if (!tool_db(t))
		return EX_UNAVAILABLE;
	if (native_change(t->db, q, param) == NATIVE_FAILED)
		return tool_native_result(t, NATIVE_FAILED, "");
	return EX_OK;
}

int tool_unset(struct tool *t, enum query_id q, const struct sqlval *typed,
	       const struct sqlval *canonical, const char *subject)
{
	enum native_result r;

	if (!tool_db(t))
		return EX_UNAVAILABLE;
	r = native_change(t->db, q, typed);
	if (r == NATIVE_NONE)
		r = native_change(t->db, q, canonical);
	return tool_native_result(t, r, subject);
}

/* What is none stays as it was typed. */
static struct sqlval canonical_of(struct tool *t, const char *text,
				  unsigned forms, struct pattern *p)
{
	return sql_bytes(pattern_of(t, text, forms, p) ? pattern_span(p)
						       : span_of(text));
}

int tool_unset_pair(struct tool *t, enum query_id q, char **argv,
		    unsigned first_forms, unsigned second_forms)
{
	const struct sqlval typed[] = { sql_bytes(span_of(argv[0])),
					sql_bytes(span_of(argv[1])) };
	struct pattern a, b;
	const struct sqlval canonical[] = {
		canonical_of(t, argv[0], first_forms, &a),
		canonical_of(t, argv[1], second_forms, &b),
	};

	return tool_unset(t, q, typed, canonical, argv[1]);
}

int tool_print_list(struct tool *t, const char *name,
		    const struct out_column *columns,
		    enum native_result (*list)(struct db *, native_row, void *),
		    const struct sqlval *last)
{
	struct out *o;
	int code;

	if (!tool_db(t))
		return EX_UNAVAILABLE;
	o = out_new(name, columns, t->json);
	if (!o)
		return tool_fail(EX_OSERR, "out of memory");
	code = tool_native_result(t, list(t->db, out_row, o), "");
	if (code == EX_OK && (!last || out_row(o, last)))
		out_print_list(o);
	out_free(&o);
	return code;
}
