/* ctl/domain.c: mailrow domain ... */
#include "ctl/tool.h"

#include <sysexits.h>

#include "ctl/forget.h"
#include "ctl/out.h"
#include "sql/forget.h"

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
	return forget_print(t, forget_domain, span_of(domain));
}

/* OTHER is a domain of ours, or "none". */
static int domain_alias(struct tool *t, int argc, char **argv)
{
	char domain[ADDR_DOMAIN_MAX + 1], other[ADDR_DOMAIN_MAX + 1] = "";
	int code = with_domain(t, argv[0], domain);

	(void)argc;
	if (code == EX_OK && !span_is(span_of(argv[1]), "none") &&
	    !tool_domain(argv[1], other))
		code = EX_DATAERR;
	if (code != EX_OK)
		return code;
	return tool_native_result(
		t,
		native_domain_set_alias(t->db, span_of(domain), span_of(other)),
		other[0] ? other : domain);
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
	{ .noun = "domain",
	  .name = "add",
	  .min_args = 1,
	  .max_args = 1,
	  .usage = "DOMAIN",
	  .help = "serve a domain",
	  .run = domain_add },
	{ .noun = "domain",
	  .name = "list",
	  .usage = "",
	  .help = "the domains",
	  .run = domain_list },
	{ .noun = "domain",
	  .name = "alias",
	  .min_args = 2,
	  .max_args = 2,
	  .usage = "DOMAIN OTHER|none",
	  .help = "let it stand for another domain",
	  .run = domain_alias },
	{ .noun = "domain",
	  .name = "disable",
	  .min_args = 1,
	  .max_args = 1,
	  .usage = "DOMAIN",
	  .help = "reject its mail and logins",
	  .run = domain_disable },
	{ .noun = "domain",
	  .name = "enable",
	  .min_args = 1,
	  .max_args = 1,
	  .usage = "DOMAIN",
	  .help = "serve it again",
	  .run = domain_enable },
	{ .noun = "domain",
	  .name = "delete",
	  .min_args = 1,
	  .max_args = 1,
	  .usage = "DOMAIN",
	  .help = "forget one without accounts, and its aliases",
	  .run = domain_delete },
	{ .noun = NULL }
};
