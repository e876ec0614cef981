/* ctl/account.c: mailrow account ... */
#include "ctl/account.h"

#include <sysexits.h>

#include "ctl/forget.h"
#include "ctl/out.h"
#include "ctl/secret.h"
#include "lib/pwhash.h"
#include "sql/forget.h"

static int with_address(struct tool *t, const char *text, struct addr *a)
{
	if (!tool_owns_accounts(t))
		return EX_NOPERM;
	if (!tool_address(t, text, a))
		return EX_DATAERR;
	return tool_db(t) ? EX_OK : EX_UNAVAILABLE;
}

/* Reads a password and hashes it with the default scheme. */
static int read_hash(struct buf *hash)
{
	struct buf password = BUF_INIT(PWHASH_PASSWORD_MAX);
	int code = EX_OK;

	if (!secret_read(&password))
		code = EX_DATAERR;
	else if (!pwhash_make("", buf_span(&password), hash))
		code = tool_fail(EX_OSERR, "cannot hash the password");
	buf_wipe(&password);
	return code;
}

/* account add ADDRESS [OCTETS]; account passwd ADDRESS */
static int account_add(struct tool *t, int argc, char **argv)
{
	struct buf hash = BUF_INIT(1024);
	uint64_t quota = 0;
	struct addr a;
	int code = with_address(t, argv[0], &a);

	if (code != EX_OK)
		return code;
	if (argc > 1 && !tool_octets(argv[1], &quota))
		return EX_DATAERR;
	code = read_hash(&hash);
	if (code == EX_OK)
		code = tool_native_result(
			t,
			native_account_add(t->db, &a, buf_span(&hash), quota),
			a.text);
	buf_wipe(&hash);
	return code;
}

static int account_passwd(struct tool *t, int argc, char **argv)
{
	struct buf hash = BUF_INIT(1024);
	struct addr a;
	int code = with_address(t, argv[0], &a);

	(void)argc;
	if (code == EX_OK)
		code = read_hash(&hash);
	if (code == EX_OK)
		code = tool_native_result(
			t,
			native_account_set_password(t->db, &a, buf_span(&hash)),
			a.text);
	buf_wipe(&hash);
	return code;
}

static int set_active(struct tool *t, const char *text, bool active)
{
	struct addr a;
	int code = with_address(t, text, &a);

	if (code != EX_OK)
		return code;
	return tool_native_result(
		t, native_account_set_active(t->db, &a, active), a.text);
}

static int account_disable(struct tool *t, int argc, char **argv)
{
	(void)argc;
	return set_active(t, argv[0], false);
}

static int account_enable(struct tool *t, int argc, char **argv)
{
	(void)argc;
	return set_active(t, argv[0], true);
}

static int account_quota(struct tool *t, int argc, char **argv)
{
	uint64_t quota;
	struct addr a;
	int code = with_address(t, argv[0], &a);

	(void)argc;
	if (code != EX_OK)
		return code;
	if (!tool_octets(argv[1], &quota))
		return EX_DATAERR;
	return tool_native_result(t, native_account_set_quota(t->db, &a, quota),
				  a.text);
}

static int account_delete(struct tool *t, int argc, char **argv)
{
	struct addr a;
	int code = with_address(t, argv[0], &a);

	(void)argc;
	if (code != EX_OK)
		return code;
	return forget_print(t, forget_account, addr_span(&a));
}

static const struct out_column account_columns[] = {
	{ "address", OUT_TEXT },  { "active", OUT_FLAG },
	{ "smtp", OUT_FLAG },     { "pop3", OUT_FLAG },
	{ "tls_only", OUT_FLAG }, { "networks", OUT_TEXT },
	{ "quota", OUT_NUMBER },  { "messages", OUT_NUMBER },
	{ "octets", OUT_NUMBER }, { "last_login", OUT_TEXT },
	{ "client", OUT_TEXT },   { "created_at", OUT_TEXT },
	{ NULL, OUT_TEXT }
};

static int account_list(struct tool *t, int argc, char **argv)
{
	char domain[ADDR_DOMAIN_MAX + 1] = "";
	struct out *o;
	int code;

	if (!tool_owns_accounts(t))
		return EX_NOPERM;
	if (argc > 0 && !tool_domain(argv[0], domain))
		return EX_DATAERR;
	if (!tool_db(t))
		return EX_UNAVAILABLE;
	o = out_new("accounts", account_columns, t->json);
	if (!o)
		return tool_fail(EX_OSERR, "out of memory");
	code = tool_native_result(
		t, native_account_list(t->db, span_of(domain), out_row, o),
		domain);
	if (code == EX_OK)
		out_print_list(o);
	out_free(&o);
	return code;
}

static int account_show(struct tool *t, int argc, char **argv)
{
	struct out *o;
	struct addr a;
	int code = with_address(t, argv[0], &a);

	(void)argc;
	if (code != EX_OK)
		return code;
	o = out_new("accounts", account_columns, t->json);
	if (!o)
		return tool_fail(EX_OSERR, "out of memory");
	code = tool_native_result(t, native_account_show(t->db, &a, out_row, o),
				  a.text);
	if (code == EX_OK)
		out_print_record(o);
	out_free(&o);
	return code;
}

const struct verb account_verbs[] = {
	{ .noun = "account",
	  .name = "add",
	  .min_args = 1,
	  .max_args = 2,
	  .usage = "ADDRESS [OCTETS]",
	  .help = "make an account, perhaps with a quota",
	  .run = account_add },
	{ .noun = "account",
	  .name = "passwd",
	  .min_args = 1,
	  .max_args = 1,
	  .usage = "ADDRESS",
	  .help = "set its password",
	  .run = account_passwd },
	{ .noun = "account",
	  .name = "list",
	  .max_args = 1,
	  .usage = "[DOMAIN]",
	  .help = "the accounts",
	  .run = account_list },
	{ .noun = "account",
	  .name = "show",
	  .min_args = 1,
	  .max_args = 1,
	  .usage = "ADDRESS",
	  .help = "one account",
	  .run = account_show },
	{ .noun = "account",
	  .name = "disable",
	  .min_args = 1,
	  .max_args = 1,
	  .usage = "ADDRESS",
	  .help = "reject its mail and logins",
	  .run = account_disable },
	{ .noun = "account",
	  .name = "enable",
	  .min_args = 1,
	  .max_args = 1,
	  .usage = "ADDRESS",
	  .help = "serve it again",
	  .run = account_enable },
	{ .noun = "account",
	  .name = "quota",
	  .min_args = 2,
	  .max_args = 2,
	  .usage = "ADDRESS OCTETS",
	  .help = "set its quota; 0 is none; K, M, G",
	  .run = account_quota },
	{ .noun = "account",
	  .name = "door",
	  .min_args = 3,
	  .max_args = 3,
	  .usage = "ADDRESS smtp|pop3|tls|networks on|off|LIST",
	  .help = "open or close a door; let in over TLS only; from where",
	  .run = door_run },
	{ .noun = "account",
	  .name = "policy",
	  .max_args = 3,
	  .usage = "[NAME [suspended|expires|may-send|may-receive|relay|"
		   "relay-to|accept-from|require-tls|max-size|max-send-size|"
		   "max-recipients VALUE|default]]",
	  .help = "what it, the accounts of a domain or all may",
	  .run = accountpolicy_run },
	{ .noun = "account",
	  .name = "app-password",
	  .min_args = 2,
	  .max_args = 3,
	  .usage = "add|list|revoke ADDRESS [LABEL]",
	  .help = "further passwords; --door, --networks, --expires",
	  .run = apppass_run,
	  .options = apppass_options,
	  .option = apppass_option },
	{ .noun = "account",
	  .name = "logins",
	  .min_args = 1,
	  .max_args = 1,
	  .usage = "ADDRESS",
	  .help = "from which networks it logs in",
	  .run = logins_run },
	{ .noun = "account",
	  .name = "delete",
	  .min_args = 1,
	  .max_args = 1,
	  .usage = "ADDRESS",
	  .help = "remove it and what was set by its name",
	  .run = account_delete },
	{ .noun = NULL }
};
