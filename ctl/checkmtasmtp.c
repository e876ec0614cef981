/* ctl/checkmtasmtp.c: settings of smtpd and cleanup that we lean on, and who
 * answers for a recipient first. */
#include "ctl/checkmta.h"

#include <stdio.h>

#include "lib/esc.h"

/* What a parameter must say; the first of good is what to type. */
static const struct setting {
	const char *name, *command, *good;
	enum check_level level;
	bool loopback; /* matters also where only our own host connects */
	const char *why;
} settings[] = {
	{ "smtpd_forbid_bare_newline", "smtpd", "normalize yes reject",
	  CHECK_FAIL, true,
	  "behind a line end that not all take for one a second mail hides "
	  "(SMTP smuggling)" },
	{ "disable_vrfy_command", "smtpd", "yes", CHECK_WARN, false,
	  "VRFY tells which addresses exist, past the policy" },
	{ "smtpd_delay_reject", "smtpd", "yes", CHECK_WARN, true,
	  "clients are rejected before they can log in, and the log lacks "
	  "sender and recipient" },
	{ "enable_original_recipient", "cleanup", "yes", CHECK_FAIL, true,
	  "the milter cannot take back the recipients it has stored" },
	{ "smtpd_reject_unlisted_recipient", "smtpd", "yes", CHECK_WARN, false,
	  "unknown recipients of the MTA's own domains are told to innocents, "
	  "by bounces" },
};

static void test_setting(struct mta *m, const struct mta_service *s,
			 const struct setting *x)
{
	struct span good = span_of(x->good), first, value;
	char where[MTA_WHERE_MAX], fix[CHECK_FIX_MAX];
	struct esc_text v;

	if (!mta_has(m, s, x->name, &value)) {
		mta_say(m, x->level, "smtp", "apt-get install postfix",
			"this Postfix does not know %s: %s", x->name, x->why);
		return;
	}
	if (value.n > 0 && mta_list_has(good, esc_text(&v, value)))
		return;
	(void)mta_word(&good, &first);
	mta_say(m, x->level, "smtp", mta_fix(m, s, x->name, first, fix),
		"%s is %s: %s", mta_where(m, s, x->name, where),
		esc_text(&v, value), x->why);
}

static void test_settings(struct mta *m)
{
	const struct mta_service *s;
	size_t i;

	for (i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		for (s = NULL; (s = mta_next(m, settings[i].command, s));)
			if (settings[i].loopback || !mta_is_loopback(m, s))
				test_setting(m, s, &settings[i]);
}

/* The queue manager never sees what the milter has discarded, and so cannot
 * tell smtpd that it keeps up. */
static void test_flow(struct mta *m)
{
	struct span delay = mta_get(m, NULL, "in_flow_delay");
	char fix[CHECK_FIX_MAX];
	struct esc_text v;

	if (m->conf->discard_when_done && mta_ms(delay) > 0)
		mta_say(m, CHECK_WARN, "smtp",
			mta_fix(m, NULL, "in_flow_delay", SPAN_LIT("0s"), fix),
			"in_flow_delay is %s: with discard_when_done each mail "
			"waits so long under load",
			esc_text(&v, delay));
}

/* Not wrong either way, but an administrator who looks for a rejection should
 * know whose it is. */
static void test_first(struct mta *m)
{
	struct span maps = mta_get(m, NULL, "virtual_mailbox_maps");
	struct esc_text v;

	if (maps.n == 0 ||
	    !mta_yes(mta_get(m, NULL, "smtpd_reject_unlisted_recipient")))
		mta_say(m, CHECK_OK, "smtp", "",
			"the milter alone answers for unknown recipients");
	else
		mta_say(m, CHECK_OK, "smtp", "",
			"virtual_mailbox_maps (%s) answers for unknown "
			"recipients first, then the milter",
			esc_text(&v, maps));
}

/* Only a panel's table is known to hold nothing but what we expand, too. Where
 * the accounts are ours, no panel is known. */
static bool may_be_emptied(const struct mta *m)
{
	struct span list = mta_get(m, NULL, "virtual_alias_maps"), word;
	const struct profile *p = tool_profile(check_tool(m->k));

	if (!p || p->ours)
		return false;
	while (mta_word(&list, &word))
		if (!mta_table_is_mysql(word))
			return false;
	return true;
}

/* Where Postfix asks for mailboxes, the maps of these would reject what was an
 * alias: they go first. */
static const char *aliases_fix(struct mta *m, char fix[CHECK_FIX_MAX])
{
	struct span boxes = mta_get(m, NULL, "virtual_mailbox_maps");
	struct buf b = BUF_INIT(CHECK_FIX_MAX - 1);
	struct esc_text dir;

	if (boxes.n && !span_starts_nocase(boxes, SPAN_LIT("static:"))) {
		buf_puts(&b, mta_fix(m, NULL, "virtual_mailbox_maps",
				     SPAN_LIT("static:all"), fix));
		buf_puts(&b, "; ");
	}
	buf_puts(&b, mta_fix(m, NULL, "virtual_alias_maps", SPAN_EMPTY, fix));
	if (may_be_emptied(m) && buf_ok(&b))
		snprintf(fix, CHECK_FIX_MAX, "%s", buf_cstr(&b));
	else
		snprintf(fix, CHECK_FIX_MAX,
			 "edit virtual_alias_maps in %s/main.cf",
			 esc_text(&dir, span_of(m->directory)));
	buf_release(&b);
	return fix;
}

/* Beside another store they are what its mailboxes live on. */
static void test_aliases(struct mta *m)
{
	struct span maps = mta_get(m, NULL, "virtual_alias_maps");
	char fix[CHECK_FIX_MAX];
	struct esc_text v;

	if (maps.n && mta_stores(m))
		mta_say(m, CHECK_WARN, "smtp", aliases_fix(m, fix),
			"virtual_alias_maps is %s: for our domains the milter "
			"expands aliases; keep there only those of others",
			esc_text(&v, maps));
	else if (maps.n)
		mta_say(m, CHECK_OK, "smtp", "",
			"virtual_alias_maps is %s, for what is not ours",
			esc_text(&v, maps));
	else
		mta_say(m, CHECK_OK, "smtp", "", "the milter expands aliases");
}

void checkmtasmtp_run(struct mta *m)
{
	test_settings(m);
	test_flow(m);
	test_first(m);
	test_aliases(m);
}
