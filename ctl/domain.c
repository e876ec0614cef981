/* ctl/domain.c: mailrow domain ... */
#include "ctl/tool.h"

#include <sysexits.h>

#include "ctl/out.h"

static int with_domain(struct tool *t, const char *text,
		       char out[ADDR_DOMAIN_MAX + 1])
{
	if (!tool_owns_accounts(t))
		return EX_NOPERM;
	if (!tool_domain(text, out))
		return EX_DATAERR;
	return tool_db(t) ? EX_OK : EX_UNAVAILABLE;
}

static int domain_add(struct tool *t, int argc, char **argv)
{
	char domain[ADDR_DOMAIN_MAX + 1];
	int code = with_domain(t, argv[0], domain);

	(void)argc;
	if (code != EX_OK)
		return code;
	return tool_native_result(t, native_domain_add(t->db, span_of(domain)),
				  domain);
}

static int set_active(struct tool *t, const char *text, bool active)
{
	char domain[ADDR_DOMAIN_MAX + 1];
	int code = with_domain(t, text, domain);

	if (code != EX_OK)
		return code;
	return tool_native_result(
		t, native_domain_set_active(t->db, span_of(domain), active),
		domain);
}

static int domain_disable(struct tool *t, int argc, char **argv)
{
	(void)argc;
	return set_active(t, argv[0], false);
}

static int domain_enable(struct tool *t, int argc, char **argv)
{
	(void)argc;
	return set_active(t, argv[0], true);
}

static int domain_delete(struct tool *t, int argc, char **argv)
{
	char domain[ADDR_DOMAIN_MAX + 1];
	int code = with_domain(t, argv[0], domain);

	(void)argc;
	if (code != EX_OK)
		return code;
	return tool_native_result(
		t, native_domain_delete(t->db, span_of(domain)), domain);
}

static const struct out_column domain_columns[] = {
	{ "domain", OUT_TEXT },     { "active", OUT_FLAG },
	{ "alias_of", OUT_TEXT },   { "accounts", OUT_NUMBER },
	{ "created_at", OUT_TEXT }, { NULL, OUT_TEXT }
};

static int domain_list(struct tool *t, int argc, char **argv)
{
	struct out *o;
	int code;

	(void)argc;
	(void)argv;
	if (!tool_owns_accounts(t))
		return EX_NOPERM;
	if (!tool_db(t))
		return EX_UNAVAILABLE;
	o = out_new("domains", domain_columns, t->json);
	if (!o)
		return tool_fail(EX_OSERR, "out of memory");
	code = tool_native_result(t, native_domain_list(t->db, out_row, o), "");
	if (code == EX_OK)
		out_print_list(o);
	out_free(&o);
	return code;
}

const struct verb domain_verbs[] = {
	{ "domain", "add", 1, 1, "DOMAIN", "serve a domain", domain_add },
	{ "domain", "list", 0, 0, "", "the domains", domain_list },
	{ "domain", "disable", 1, 1, "DOMAIN", "reject its mail and logins",
	  domain_disable },
	{ "domain", "enable", 1, 1, "DOMAIN", "serve it again", domain_enable },
	{ "domain", "delete", 1, 1, "DOMAIN", "forget it; it has no accounts",
	  domain_delete },
	{ .noun = NULL }
};
