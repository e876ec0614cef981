/* ctl/auth.c: mailrow auth ...: who is held back for failed logins, and whom
 * the administrator blocks. mailrow-authd of every node reads the table that
 * is changed here within seconds. */
#include "ctl/tool.h"

#include <sysexits.h>

#include "lib/network.h"
#include "ctl/boxarg.h"
#include "ctl/out.h"
#include "sql/attacker.h"

static const struct out_column attacker_columns[] = {
	{ "who", OUT_TEXT },      { "refused until", OUT_TEXT },
	{ "weight", OUT_NUMBER }, { "last", OUT_TEXT },
	{ "blocked", OUT_FLAG },  { NULL, OUT_TEXT }
};

static int auth_attackers(struct tool *t, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return tool_print_list(t, "attackers", attacker_columns, attacker_list,
			       NULL);
}

/* As the table writes it. */
static bool take_network(const char *text, struct buf *b)
{
	struct network net;

	if (network_parse(span_of(text), &net)) {
		network_put(b, &net);
		return true;
	}
	tool_fail(0,
		  "'%s' is no address or network: 192.0.2.7, 192.0.2.0/24, "
		  "2001:db8::/64",
		  text);
	return false;
}

static bool take_block_time(const char *text, uint64_t *seconds_r)
{
	if (!boxarg_duration(text, seconds_r))
		return false;
	if (*seconds_r > 0)
		return true;
	tool_fail(0, "'%s' blocks nobody; see: mailrow auth unblock", text);
	return false;
}

static int auth_block(struct tool *t, int argc, char **argv)
{
	struct buf who = BUF_INIT(ADDR_MAX);
	uint64_t seconds = 0;
	int code = EX_OK;

	if (!take_network(argv[0], &who) ||
	    (argc > 1 && !take_block_time(argv[1], &seconds)))
		code = EX_DATAERR;
	else if (!tool_db(t))
		code = EX_UNAVAILABLE;
	else if (attacker_block(t->db, buf_span(&who), seconds) != DB_OK)
		code = tool_native_result(t, NATIVE_FAILED, argv[0]);
	buf_release(&who);
	return code;
}

/* An account, an address or a network. */
static bool take_who(struct tool *t, const char *text, struct buf *b)
{
	struct addr a;

	if (span_find(span_of(text), '@') == span_of(text).n)
		return take_network(text, b);
	if (!tool_address(t, text, &a))
		return false;
	buf_put_span(b, addr_span(&a));
	return true;
}

static int auth_unblock(struct tool *t, int argc, char **argv)
{
	struct buf who = BUF_INIT(ADDR_MAX);
	bool known = false;
	int code = EX_OK;

	(void)argc;
	if (!take_who(t, argv[0], &who))
		code = EX_DATAERR;
	else if (!tool_db(t))
		code = EX_UNAVAILABLE;
	else if (attacker_unblock(t->db, buf_span(&who), &known) != DB_OK)
		code = tool_native_result(t, NATIVE_FAILED, argv[0]);
	else if (!known)
		code = tool_fail(EX_NOUSER,
				 "nothing is held against '%s'; see: mailrow "
				 "auth attackers",
				 argv[0]);
	buf_release(&who);
	return code;
}

const struct verb auth_verbs[] = {
	{ .noun = "auth",
	  .name = "attackers",
	  .usage = "",
	  .help = "who is held back for failed logins, and who is blocked",
	  .run = auth_attackers },
	{ .noun = "auth",
	  .name = "block",
	  .min_args = 1,
	  .max_args = 2,
	  .usage = "NETWORK [DURATION]",
	  .help = "refuse all logins from there",
	  .run = auth_block },
	{ .noun = "auth",
	  .name = "unblock",
	  .min_args = 1,
	  .max_args = 1,
	  .usage = "NETWORK|ACCOUNT",
	  .help = "forget what is held against it",
	  .run = auth_unblock },
	{ .noun = NULL }
};
