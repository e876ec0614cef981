/* ctl/apppass.c: mailrow account app-password ... They lie in the store and go
 * with every profile. */
#include "ctl/account.h"

#include <stdio.h>
#include <sys/random.h>
#include <sysexits.h>

#include "ctl/out.h"
#include "sql/apppass.h"

/* What the options said. */
static struct {
	bool smtp, pop3;
	struct buf networks;
	uint64_t seconds;
} wanted = { .networks = BUF_INIT(LOGIN_NETWORKS_MAX) };

const struct option apppass_options[] = {
	{ "door", required_argument, NULL, 256 },
	{ "networks", required_argument, NULL, 257 },
	{ "expires", required_argument, NULL, 258 },
	{ NULL, 0, NULL, 0 },
};

static int take_door(const char *name)
{
	if (strcmp(name, "smtp") == 0)
		wanted.smtp = true;
	else if (strcmp(name, "pop3") == 0)
		wanted.pop3 = true;
	else
		return tool_fail(EX_USAGE, "'%s' is no door: smtp or pop3",
				 name);
	return EX_OK;
}

/* "90d", "12h" */
static int take_time(const char *text)
{
	struct span s = span_of(text);
	uint64_t unit = 0;

	if (s.n > 1)
		unit = s.p[s.n - 1] == 'd'   ? 86400
		       : s.p[s.n - 1] == 'h' ? 3600
		       : s.p[s.n - 1] == 'm' ? 60
					     : 0;
	if (unit == 0 || !span_u64(span_head(s, s.n - 1), &wanted.seconds) ||
	    wanted.seconds == 0 || wanted.seconds > 36500)
		return tool_fail(EX_USAGE,
				 "'%s' is no time: a number with m, h or d "
				 "behind it",
				 text);
	wanted.seconds *= unit;
	return EX_OK;
}

int apppass_option(struct tool *t, int val, const char *argument)
{
	(void)t;
	switch (val) {
	case 256:
		return take_door(argument);
	case 257:
		return account_networks(argument, &wanted.networks) ? EX_OK
								    : EX_USAGE;
	default:
		return take_time(argument);
	}
}

/* So that a later account of this name does not inherit it. */
static int find_incarnation(struct tool *t, const struct addr *login,
			    struct login_look *l, bool *bound_r)
{
	struct profile *p = tool_profile(t);
	struct db *accounts = p ? tool_accounts(t) : NULL;

	*bound_r = p && p->query[PQ_STATE].n > 0;
	if (!p)
		return EX_CONFIG;
	if (!*bound_r)
		return EX_OK;
	if (!accounts)
		return EX_UNAVAILABLE;
	switch (login_look(accounts, p, login, l)) {
	case F_YES:
		return EX_OK;
	case F_NO:
		return tool_fail(EX_NOUSER, "there is no login '%s'",
				 login->text);
	case F_TEMP:
		break;
	}
	return tool_fail(EX_TEMPFAIL, "cannot ask for '%s': %s", login->text,
			 db_why(accounts));
}

static int add(struct tool *t, const struct addr *login, const char *label)
{
	struct apppass_new n = { .login = addr_span(login),
				 .label = span_of(label),
				 .networks = buf_span(&wanted.networks),
				 .smtp = wanted.smtp || !wanted.pop3,
				 .pop3 = wanted.pop3 || !wanted.smtp,
				 .seconds = wanted.seconds };
	uint8_t octet[APPPASS_OCTETS], hash[APPPASS_HASH_SIZE];
	char text[APPPASS_TEXT_MAX + 1];
	struct login_look look;
	bool bound;
	int code = find_incarnation(t, login, &look, &bound);

	if (code != EX_OK)
		return code;
	if (bound)
		n.incarnation = look.incarnation;
	if (getrandom(octet, sizeof(octet), 0) != (ssize_t)sizeof(octet))
		return tool_fail(EX_OSERR, "the system gives no random bits");
	apppass_text(octet, text);
	if (!apppass_hash(span_of(text), hash))
		return tool_fail(EX_OSERR, "out of memory");
	code = tool_native_result(t, apppass_add(t->db, &n, hash), label);
	if (code == EX_OK)
		printf("%s\n", text);
	explicit_bzero(octet, sizeof(octet));
	explicit_bzero(text, sizeof(text));
	return code;
}

static int list(struct tool *t, const struct addr *login)
{
	static const struct out_column columns[] = {
		{ "label", OUT_TEXT },
		{ "smtp", OUT_FLAG },
		{ "pop3", OUT_FLAG },
		{ "networks", OUT_TEXT },
		{ "expires_at", OUT_TEXT },
		{ "last_used_at", OUT_TEXT },
		{ "last_used_from", OUT_TEXT },
		{ "created_at", OUT_TEXT },
		{ NULL, OUT_TEXT }
	};
	struct out *o = out_new("app_passwords", columns, t->json);
	int code;

	if (!o)
		return tool_fail(EX_OSERR, "out of memory");
	code = tool_native_result(
		t, apppass_list(t->db, addr_span(login), out_row, o),
		login->text);
	if (code == EX_OK)
		out_print_list(o);
	out_free(&o);
	return code;
}

static bool is_label(const char *label)
{
	struct span s = span_of(label);

	if (s.n == 0 || s.n > APPPASS_LABEL_MAX || !span_is_utf8(s))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return false;
	return true;
}

int apppass_run(struct tool *t, int argc, char **argv)
{
	const char *label = argc > 2 ? argv[2] : NULL;
	struct addr login;

	if (!tool_address(t, argv[1], &login))
		return EX_DATAERR;
	if (label && !is_label(label))
		return tool_fail(EX_DATAERR,
				 "'%s' is no label: at most %d "
				 "octets of text",
				 label, APPPASS_LABEL_MAX);
	if (!tool_db(t))
		return EX_UNAVAILABLE;
	if (strcmp(argv[0], "list") == 0 && !label)
		return list(t, &login);
	if (strcmp(argv[0], "add") == 0 && label)
		return add(t, &login, label);
	if (strcmp(argv[0], "revoke") == 0 && label)
		return tool_native_result(t,
					  apppass_revoke(t->db,
							 addr_span(&login),
							 span_of(label)),
					  label);
	return tool_fail(
		EX_USAGE,
		"usage: mailrow account app-password add "
		"ADDRESS LABEL, list ADDRESS, or revoke ADDRESS LABEL");
}
