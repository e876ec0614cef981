/* ctl/door.c: mailrow account door and logins. */
#include "ctl/account.h"

#include <inttypes.h>
#include <stdio.h>
#include <sysexits.h>

#include "ctl/out.h"
#include "lib/network.h"
#include "sql/history.h"
#include "sql/login.h"

bool account_networks(const char *text, struct buf *list_r)
{
	struct span list = span_of(text), bad = network_list_bad(list);

	if (list.n == 0 || bad.n) {
		tool_fail(0, "'%.*s' is no address or network", (int)bad.n,
			  bad.p);
		return false;
	}
	buf_reset(list_r);
	buf_put_span(list_r, span_trim(list));
	if (buf_ok(list_r))
		return true;
	tool_fail(0, "more than %d octets of networks", LOGIN_NETWORKS_MAX);
	return false;
}

static bool take_switch(const char *text, bool *on_r)
{
	*on_r = strcmp(text, "on") == 0;
	if (*on_r || strcmp(text, "off") == 0)
		return true;
	tool_fail(0, "'%s' is neither on nor off", text);
	return false;
}

static int set_networks(struct tool *t, const struct addr *a, const char *text)
{
	struct buf list = BUF_INIT(LOGIN_NETWORKS_MAX);
	int code = EX_DATAERR;

	if (strcmp(text, "any") == 0 || account_networks(text, &list))
		code = tool_native_result(
			t,
			native_account_set_networks(t->db, a, buf_span(&list)),
			a->text);
	buf_release(&list);
	return code;
}

int door_run(struct tool *t, int argc, char **argv)
{
	static const char *const door[] = { [NATIVE_SMTP] = "smtp",
					    [NATIVE_POP3] = "pop3",
					    [NATIVE_TLS_ONLY] = "tls" };
	struct addr a;
	bool on;

	(void)argc;
	if (!tool_owns_accounts(t))
		return EX_NOPERM;
	if (!tool_address(t, argv[0], &a))
		return EX_DATAERR;
	if (!tool_db(t))
		return EX_UNAVAILABLE;
	if (strcmp(argv[1], "networks") == 0)
		return set_networks(t, &a, argv[2]);
	for (size_t i = 0; i < sizeof(door) / sizeof(door[0]); i++) {
		if (strcmp(argv[1], door[i]) != 0)
			continue;
		if (!take_switch(argv[2], &on))
			return EX_DATAERR;
		return tool_native_result(
			t,
			native_account_set_door(t->db, &a, (enum native_door)i,
						on),
			a.text);
	}
	return tool_fail(EX_USAGE, "'%s' is none of smtp, pop3, tls, networks",
			 argv[1]);
}

enum { DAY_S = 86400, WEEK_S = 7 * DAY_S };

/* A day's worth of it in a sentence. */
static int print_facts(struct tool *t, const struct addr *login)
{
	struct history_facts day, week;

	if (history_facts(t->db, addr_span(login), SPAN_EMPTY, DAY_S, &day) !=
		    DB_OK ||
	    history_facts(t->db, addr_span(login), SPAN_EMPTY, WEEK_S, &week) !=
		    DB_OK)
		return tool_fail(EX_TEMPFAIL, "the database did not do it: %s",
				 db_why(t->db));
	printf("networks: %" PRIu64 " in the last day, %" PRIu64
	       " in the last week\n",
	       day.networks, week.networks);
	return EX_OK;
}

int logins_run(struct tool *t, int argc, char **argv)
{
	static const struct out_column columns[] = {
		{ "network", OUT_TEXT },  { "door", OUT_TEXT },
		{ "logins", OUT_NUMBER }, { "first_at", OUT_TEXT },
		{ "last_at", OUT_TEXT },  { NULL, OUT_TEXT }
	};
	struct out *o;
	struct addr a;
	int code;

	(void)argc;
	if (!tool_address(t, argv[0], &a))
		return EX_DATAERR;
	if (!tool_db(t))
		return EX_UNAVAILABLE;
	o = out_new("logins", columns, t->json);
	if (!o)
		return tool_fail(EX_OSERR, "out of memory");
	code = tool_native_result(
		t, history_list(t->db, addr_span(&a), out_row, o), a.text);
	if (code == EX_OK)
		out_print_list(o);
	out_free(&o);
	return code == EX_OK && !t->json ? print_facts(t, &a) : code;
}
