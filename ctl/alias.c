/* ctl/alias.c: mailrow alias ... */
#include "ctl/tool.h"

#include <stdio.h>
#include <sysexits.h>

#include "ctl/out.h"

/* An address, or "@domain": as an alias the catch-all, as a target the same
 * name there. */
struct name {
	char text[ADDR_MAX + 2];
};

static bool take_name(struct tool *t, const char *text, struct name *n_r)
{
	struct addr a;
	bool ok;

	if (text[0] == '@') {
		n_r->text[0] = '@';
		return tool_domain(text + 1, n_r->text + 1);
	}
	ok = tool_address(t, text, &a);
	if (ok)
		(void)snprintf(n_r->text, sizeof(n_r->text), "%s", a.text);
	return ok;
}

static int with_name(struct tool *t, const char *text, struct name *n_r)
{
	if (!tool_owns_accounts(t))
		return EX_NOPERM;
	if (!take_name(t, text, n_r))
		return EX_DATAERR;
	return tool_db(t) ? EX_OK : EX_UNAVAILABLE;
}

/* All targets are looked at before the first is written. */
static int alias_add(struct tool *t, int argc, char **argv)
{
	struct name address, target;
	int code = with_name(t, argv[0], &address);

	for (int i = 1; code == EX_OK && i < argc; i++)
		if (!take_name(t, argv[i], &target))
			code = EX_DATAERR;
	for (int i = 1; code == EX_OK && i < argc; i++) {
		(void)take_name(t, argv[i], &target);
		code = tool_native_result(
			t,
			native_alias_add(t->db, span_of(address.text),
					 span_of(target.text)),
			argv[i]);
	}
	return code;
}

static int alias_delete(struct tool *t, int argc, char **argv)
{
	struct name address, target = { "" };
	int code = with_name(t, argv[0], &address);

	if (code == EX_OK && argc > 1 && !take_name(t, argv[1], &target))
		code = EX_DATAERR;
	if (code != EX_OK)
		return code;
	return tool_native_result(t,
				  native_alias_delete(t->db,
						      span_of(address.text),
						      span_of(target.text)),
				  argc > 1 ? argv[1] : argv[0]);
}

static const struct out_column alias_columns[] = { { "address", OUT_TEXT },
						   { "target", OUT_TEXT },
						   { "created_at", OUT_TEXT },
						   { NULL, OUT_TEXT } };

/* What to list: nothing, a domain, "@domain" or an address. */
static bool take_filter(struct tool *t, const char *text, struct name *n_r)
{
	if (!text)
		return true;
	if (span_find(span_of(text), '@') < span_of(text).n)
		return take_name(t, text, n_r);
	return tool_domain(text, n_r->text);
}

static int alias_list(struct tool *t, int argc, char **argv)
{
	struct name filter = { "" };
	struct out *o;
	int code;

	if (!tool_owns_accounts(t))
		return EX_NOPERM;
	if (!take_filter(t, argc > 0 ? argv[0] : NULL, &filter))
		return EX_DATAERR;
	if (!tool_db(t))
		return EX_UNAVAILABLE;
	o = out_new("aliases", alias_columns, t->json);
	if (!o)
		return tool_fail(EX_OSERR, "out of memory");
	code = tool_native_result(
		t, native_alias_list(t->db, span_of(filter.text), out_row, o),
		"");
	if (code == EX_OK)
		out_print_list(o);
	out_free(&o);
	return code;
}

const struct verb alias_verbs[] = {
	{ .noun = "alias",
	  .name = "add",
	  .min_args = 2,
	  .max_args = 1000,
	  .usage = "ADDRESS|@DOMAIN TARGET ...",
	  .help = "lead mail on; to the address itself: keep it too",
	  .run = alias_add },
	{ .noun = "alias",
	  .name = "list",
	  .max_args = 1,
	  .usage = "[ADDRESS|DOMAIN]",
	  .help = "where aliases lead",
	  .run = alias_list },
	{ .noun = "alias",
	  .name = "delete",
	  .min_args = 1,
	  .max_args = 2,
	  .usage = "ADDRESS|@DOMAIN [TARGET]",
	  .help = "forget an alias, or one of its targets",
	  .run = alias_delete },
	{ .noun = NULL }
};
