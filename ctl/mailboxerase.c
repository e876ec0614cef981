/* ctl/mailboxerase.c: mailrow mailbox close and mailrow mailbox erase. */
#include "ctl/mailbox.h"

#include <inttypes.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "ctl/boxarg.h"
#include "ctl/purge.h"
#include "lib/esc.h"
#include "sql/accounts.h"

enum { OPT_YES = 1 };

static bool yes;

const struct option mailboxerase_options[] = {
	{ "yes", no_argument, NULL, OPT_YES }, { NULL, 0, NULL, 0 }
};

int mailboxerase_option(struct tool *t, int val, const char *argument)
{
	(void)t;
	(void)argument;
	yes = yes || val == OPT_YES;
	return EX_OK;
}

/* One line on the terminal. */
static bool says_yes(const struct boxarg *b)
{
	struct esc_text t;
	char answer[16] = "";

	fprintf(stderr,
		"mailbox %" PRIu64 " of '%s'%s: %" PRIu64 " mails, %" PRIu64
		" octets, and its trash.\nErase it for good? (yes or no) ",
		b->id, esc_text(&t, span_of(b->address)),
		b->retired ? ", retired" : "", b->messages, b->octets);
	if (!fgets(answer, sizeof(answer), stdin))
		return false;
	return span_is(span_trim(span_of(answer)), "yes");
}

static int confirm(const struct boxarg *b)
{
	if (yes)
		return EX_OK;
	if (!isatty(STDIN_FILENO))
		return tool_fail(EX_USAGE, "without a terminal, erase needs "
					   "--yes");
	return says_yes(b) ? EX_OK : tool_fail(EX_NOPERM, "nothing was erased");
}

int mailboxerase_verb(struct tool *t, int argc, char **argv)
{
	struct purge_report report;
	struct progress progress;
	struct boxarg b;
	enum db_result r;
	int code;

	(void)argc;
	if (!tool_db_purge(t))
		return EX_UNAVAILABLE;
	code = boxarg_find(t, argv[0], &b);
	if (code == EX_OK)
		code = confirm(&b);
	if (code != EX_OK)
		return code;
	progress_start(&progress, 0);
	r = purge_erase(t->db, b.id, progress_show, &progress, &report);
	progress_end(&progress);
	code = purge_print(t, &report, false);
	if (r != DB_OK)
		return tool_fail(EX_TEMPFAIL,
				 "the database did not do it all: %s; run it "
				 "again",
				 db_why(t->db));
	if (!report.complete)
		return tool_fail(EX_TEMPFAIL,
				 "mailbox %" PRIu64 " of '%s' was taken back "
				 "meanwhile: what it still has stays",
				 b.id, b.address);
	return code;
}

static int still_there(const struct tool *t, const char *address)
{
	if (t->profile->ours)
		return tool_fail(EX_NOPERM,
				 "'%s' still has an account; first: mailrow "
				 "account delete %s",
				 address, address);
	return tool_fail(EX_NOPERM,
			 "'%s' still has an account; first delete or disable "
			 "it in the panel (profile = %s)",
			 address, t->profile->name);
}

/* The account that keeps a mailbox from being closed must be one that may use
 * it: active, and of the mailbox's own life. */
static int check_account(struct tool *t, const struct addr *a,
			 struct span incarnation)
{
	struct db *accounts = tool_accounts(t);
	struct mailbox_facts f;

	if (!accounts)
		return EX_UNAVAILABLE;
	accounts_mailbox(accounts, t->profile, a, &f);
	if (f.known == F_TEMP)
		return tool_fail(EX_TEMPFAIL,
				 "the accounts cannot be asked whether '%s' "
				 "is gone",
				 a->text);
	if (f.known == F_YES && incarnation.n > 0 && f.incarnation[0] &&
	    !span_is(incarnation, f.incarnation))
		return EX_OK;
	return f.known == F_YES && f.active == F_YES ? still_there(t, a->text)
						     : EX_OK;
}

static int retire(struct tool *t, uint64_t id, const char *address)
{
	const struct sqlval param[] = { sql_u64(id) };

	if (db_run(t->db, Q_BOX_RETIRE, param) != DB_OK)
		return tool_fail(EX_TEMPFAIL, "the database did not do it: %s",
				 db_why(t->db));
	if (db_affected(t->db) != 1)
		return tool_fail(EX_NOUSER, "there is no mailbox '%s'",
				 address);
	return EX_OK;
}

int mailboxclose_verb(struct tool *t, int argc, char **argv)
{
	char incarnation[INCARNATION_MAX + 1];
	struct sqlval param[1], col[4];
	struct addr a;
	uint64_t id;
	bool got;
	int code;

	(void)argc;
	if (!tool_address(t, argv[0], &a))
		return EX_DATAERR;
	if (!tool_profile(t))
		return EX_CONFIG;
	if (!tool_db(t))
		return EX_UNAVAILABLE;
	param[0] = sql_bytes(addr_span(&a));
	if (db_one(t->db, Q_BOX_FIND, param, col, &got) != DB_OK)
		return tool_fail(EX_TEMPFAIL, "the database did not do it: %s",
				 db_why(t->db));
	if (!got)
		return tool_fail(EX_NOUSER, "there is no mailbox '%s'", a.text);
	id = col[0].u;
	snprintf(incarnation, sizeof(incarnation), "%.*s", (int)col[1].s.n,
		 col[1].s.p);
	code = check_account(t, &a, span_of(incarnation));
	return code == EX_OK ? retire(t, id, a.text) : code;
}
