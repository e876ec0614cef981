/* ctl/accountpolicy.c: mailrow account policy: what an account, the accounts of
 * a domain, or all may. They lie in the store and go with every profile. */
#include "ctl/account.h"

#include <stdio.h>
#include <sysexits.h>
#include <time.h>

#include "ctl/out.h"

enum { RELAY_TO_MAX = 2048 };

static const struct out_column said_columns[] = {
	{ "name", OUT_TEXT },
	{ "suspended", OUT_TEXT },
	{ "expires", OUT_TEXT },
	{ "may_send", OUT_TEXT },
	{ "may_receive", OUT_TEXT },
	{ "relay", OUT_TEXT },
	{ "relay_to", OUT_TEXT },
	{ "accept_from", OUT_TEXT },
	{ "require_tls", OUT_TEXT },
	{ "max_size", OUT_NUMBER },
	{ "max_send_size", OUT_NUMBER },
	{ "max_recipients", OUT_NUMBER },
	{ NULL, OUT_TEXT }
};

/* Of the one list that a run of the tool prints: "" = of all. */
static struct pattern wanted;

static struct span domain_of(struct span name)
{
	struct span domain = name;

	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] == '@')
			domain = span_skip(name, i);
	return domain;
}

/* The name, and the wider ones that count where it says nothing. */
static enum native_result list_wanted(struct db *db, native_row row, void *arg)
{
	struct span name = pattern_span(&wanted);
	const struct sqlval param[] = { sql_bytes(name), sql_bytes(name),
					sql_bytes(domain_of(name)) };

	return native_list(db, Q_SAID_LIST, param, row, arg);
}

/* How a value is written, and into what. */
struct setting {
	const char *name;
	enum query_id q;
	bool (*take)(const char *text, struct sqlval *v_r);
};

static bool take_yes(const char *text, struct sqlval *v_r)
{
	bool yes = strcmp(text, "yes") == 0;

	*v_r = sql_u64(yes);
	if (yes || strcmp(text, "no") == 0)
		return true;
	tool_fail(0, "'%s' is neither yes nor no", text);
	return false;
}

static bool take_word(const char *text, const char *const *words,
		      const char *list, struct sqlval *v_r)
{
	*v_r = sql_bytes(span_of(text));
	for (; *words; words++)
		if (strcmp(text, *words) == 0)
			return true;
	tool_fail(0, "'%s' is none of %s", text, list);
	return false;
}

static bool take_relay(const char *text, struct sqlval *v_r)
{
	static const char *const words[] = { "yes", "internal", "list", "no",
					     NULL };

	return take_word(text, words, "yes, internal, list and no", v_r);
}

static bool take_accept(const char *text, struct sqlval *v_r)
{
	static const char *const words[] = { "anyone", "internal", "list",
					     NULL };

	return take_word(text, words, "anyone, internal and list", v_r);
}

static bool take_domains(const char *text, struct sqlval *v_r)
{
	struct span bad;

	*v_r = sql_bytes(span_of(text));
	if (strlen(text) > RELAY_TO_MAX) {
		tool_fail(0, "more than %d octets of domains", RELAY_TO_MAX);
		return false;
	}
	if (pattern_list_check(span_of(text), &bad))
		return true;
	tool_fail(0,
		  "'%.*s' is no domain in its canonical form (lower case, "
		  "A-labels), nor one behind a dot",
		  (int)bad.n, bad.p);
	return false;
}

/* "2027-01-31" or "2027-01-31 10:00", UTC. */
static bool take_time(const char *text, struct sqlval *v_r)
{
	struct tm tm = { .tm_mday = 0 }, same;
	const char *end = strptime(text, "%Y-%m-%d", &tm);

	*v_r = sql_bytes(span_of(text));
	if (end && *end)
		end = strptime(end, " %H:%M", &tm);
	if (end && *end == ':')
		end = strptime(end, ":%S", &tm);
	same = tm;
	if (end && !*end && tm.tm_year >= 0 && timegm(&same) != -1 &&
	    same.tm_mday == tm.tm_mday)
		return true;
	tool_fail(0, "'%s' is no time: 2027-01-31 or '2027-01-31 10:00' (UTC)",
		  text);
	return false;
}

static bool take_octets(const char *text, struct sqlval *v_r)
{
	uint64_t n;

	if (!tool_octets(text, &n))
		return false;
	*v_r = sql_u64(n);
	return true;
}

static bool take_number(const char *text, struct sqlval *v_r)
{
	uint64_t n;

	if (!span_u64(span_of(text), &n) || n > UINT32_MAX) {
		tool_fail(0,
			  "'%s' is no number of recipients; 0 means no "
			  "limit",
			  text);
		return false;
	}
	*v_r = sql_u64(n);
	return true;
}

static const struct setting settings[] = {
	{ "suspended", Q_SAID_SUSPENDED, take_yes },
	{ "expires", Q_SAID_EXPIRES, take_time },
	{ "may-send", Q_SAID_MAY_SEND, take_yes },
	{ "may-receive", Q_SAID_MAY_RECEIVE, take_yes },
	{ "relay", Q_SAID_RELAY, take_relay },
	{ "relay-to", Q_SAID_RELAY_TO, take_domains },
	{ "accept-from", Q_SAID_ACCEPT, take_accept },
	{ "require-tls", Q_SAID_TLS, take_yes },
	{ "max-size", Q_SAID_MAX_SIZE, take_octets },
	{ "max-send-size", Q_SAID_MAX_SEND_SIZE, take_octets },
	{ "max-recipients", Q_SAID_MAX_RCPTS, take_number },
};

static const struct setting *setting_find(const char *name)
{
	for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++)
		if (strcmp(settings[i].name, name) == 0)
			return &settings[i];
	tool_fail(0, "there is no setting '%s'; see mailrow(1)", name);
	return NULL;
}

/* A row that says nothing goes. */
static int say(struct tool *t, const struct pattern *name,
	       const struct setting *s, const char *text)
{
	struct sqlval param[2] = { sql_bytes(pattern_span(name)), sql_null() };
	bool forget = strcmp(text, "default") == 0;
	int code;

	if (!forget && !s->take(text, &param[1]))
		return EX_DATAERR;
	code = tool_set(t, s->q, param);
	if (code == EX_OK && forget)
		code = tool_set(t, Q_SAID_NOTHING, param);
	return code;
}

static int forget_all(struct tool *t, const char *typed)
{
	struct sqlval raw = sql_bytes(span_of(typed)), canonical = raw;
	struct pattern name;

	if (tool_pattern(t, typed, PATTERNS_SCOPE, &name))
		canonical = sql_bytes(pattern_span(&name));
	return tool_unset(t, Q_SAID_DELETE, &raw, &canonical, typed);
}

int accountpolicy_run(struct tool *t, int argc, char **argv)
{
	const struct setting *s;

	if (argc == 2 && strcmp(argv[1], "default") == 0)
		return forget_all(t, argv[0]);
	if (argc == 2)
		return tool_fail(EX_USAGE, "'%s' needs a value", argv[1]);
	if (argc > 0 && !tool_pattern(t, argv[0], PATTERNS_SCOPE, &wanted))
		return EX_DATAERR;
	if (argc < 2)
		return tool_print_list(t, "policies", said_columns, list_wanted,
				       NULL);
	s = setting_find(argv[1]);
	return s ? say(t, &wanted, s, argv[2]) : EX_USAGE;
}
