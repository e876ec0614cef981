/* ctl/mailbox.c: mailrow mailbox ... */
#include "ctl/mailbox.h"

#include <sysexits.h>

#include "ctl/out.h"

enum { OPT_RETIRED = 1 };

static bool retired;

static const struct option list_options[] = {
	{ "retired", no_argument, NULL, OPT_RETIRED }, { NULL, 0, NULL, 0 }
};

static int list_option(struct tool *t, int val, const char *argument)
{
	(void)t;
	(void)argument;
	retired = retired || val == OPT_RETIRED;
	return EX_OK;
}

static const struct out_column box_columns[] = { { "mailbox_id", OUT_NUMBER },
						 { "address", OUT_TEXT },
						 { "messages", OUT_NUMBER },
						 { "octets", OUT_NUMBER },
						 { "created_at", OUT_TEXT },
						 { "last_login", OUT_TEXT },
						 { NULL, OUT_TEXT } };

static const struct out_column retired_columns[] = { { "mailbox_id",
						       OUT_NUMBER },
						     { "address", OUT_TEXT },
						     { "messages", OUT_NUMBER },
						     { "octets", OUT_NUMBER },
						     { "created_at", OUT_TEXT },
						     { "retired_at", OUT_TEXT },
						     { NULL, OUT_TEXT } };

static const struct out_column mail_columns[] = {
	{ "uid", OUT_NUMBER },       { "uidl", OUT_TEXT },
	{ "octets", OUT_NUMBER },    { "sender", OUT_TEXT },
	{ "received_at", OUT_TEXT }, { NULL, OUT_TEXT }
};

/* Prints what the list function yields. */
static int print_list(struct tool *t, struct out *o, enum native_result r,
		      const char *subject)
{
	int code = tool_native_result(t, r, subject);

	if (code == EX_OK)
		out_print_list(o);
	out_free(&o);
	return code;
}

static int list_mails(struct tool *t, const char *text)
{
	struct out *o;
	struct addr a;

	if (!tool_address(t, text, &a))
		return EX_DATAERR;
	if (!tool_db(t))
		return EX_UNAVAILABLE;
	o = out_new("mails", mail_columns, t->json);
	if (!o)
		return tool_fail(EX_OSERR, "out of memory");
	return print_list(t, o, native_mail_list(t->db, &a, out_row, o),
			  a.text);
}

static int list_boxes(struct tool *t, const char *text)
{
	char domain[ADDR_DOMAIN_MAX + 1] = "";
	struct out *o;

	if (text && !tool_domain(text, domain))
		return EX_DATAERR;
	if (!tool_db(t))
		return EX_UNAVAILABLE;
	o = out_new("mailboxes", retired ? retired_columns : box_columns,
		    t->json);
	if (!o)
		return tool_fail(EX_OSERR, "out of memory");
	return print_list(t, o,
			  retired ? native_mailbox_retired(
					    t->db, span_of(domain), out_row, o)
				  : native_mailbox_list(t->db, span_of(domain),
							out_row, o),
			  domain);
}

static int mailbox_list(struct tool *t, int argc, char **argv)
{
	if (argc > 0 && strchr(argv[0], '@') && !retired)
		return list_mails(t, argv[0]);
	return list_boxes(t, argc > 0 ? argv[0] : NULL);
}

static int mailbox_show(struct tool *t, int argc, char **argv)
{
	struct out *o;
	struct addr a;
	int code;

	(void)argc;
	if (!tool_address(t, argv[0], &a))
		return EX_DATAERR;
	if (!tool_db(t))
		return EX_UNAVAILABLE;
	o = out_new("mailboxes", box_columns, t->json);
	if (!o)
		return tool_fail(EX_OSERR, "out of memory");
	code = tool_native_result(t, native_mailbox_show(t->db, &a, out_row, o),
				  a.text);
	if (code == EX_OK)
		out_print_record(o);
	out_free(&o);
	return code;
}

const struct verb mailbox_verbs[] = {
	{ .noun = "mailbox",
	  .name = "list",
	  .max_args = 1,
	  .usage = "[--retired] [DOMAIN | ADDRESS]",
	  .help = "the mailboxes, or the mails of one",
	  .run = mailbox_list,
	  .options = list_options,
	  .option = list_option },
	{ .noun = "mailbox",
	  .name = "show",
	  .min_args = 1,
	  .max_args = 1,
	  .usage = "ADDRESS",
	  .help = "one mailbox",
	  .run = mailbox_show },
	{ .noun = "mailbox",
	  .name = "export",
	  .min_args = 1,
	  .max_args = 1,
	  .usage = "ADDRESS|ID --mbox FILE | --maildir DIR [--trash]",
	  .help = "write its mails to files",
	  .run = mailboxexport_verb,
	  .options = mailboxexport_options,
	  .option = mailboxexport_option },
	{ .noun = "mailbox",
	  .name = "close",
	  .min_args = 1,
	  .max_args = 1,
	  .usage = "ADDRESS",
	  .help = "retire the mailbox of an account that is gone",
	  .run = mailboxclose_verb },
	{ .noun = "mailbox",
	  .name = "erase",
	  .min_args = 1,
	  .max_args = 1,
	  .usage = "ADDRESS|ID [--yes]",
	  .help = "delete its mail for good",
	  .run = mailboxerase_verb,
	  .options = mailboxerase_options,
	  .option = mailboxerase_option },
	{ .noun = NULL }
};
