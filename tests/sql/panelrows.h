/* tests/sql/panelrows.h: whom the panels' databases hold, as the profiles shall
 * tell it. For test_sql_profiles.c. */
#ifndef MAILROW_TESTS_SQL_PANELROWS_H
#define MAILROW_TESTS_SQL_PANELROWS_H

/* Panels where an alias domain is one by domain_query; in the others it is a
 * catch-all that goes to '@target'. */
#define WITH_ALIAS_DOMAINS                                                     \
	"native postfixadmin postfixadmin3 iredmail ispconfig modoboa"         \
	" vpopmail mailcow"
#define WITH_CATCH_ALL_DOMAINS "extmail vimbadmin"

struct row {
	const char *panels; /* panel_in() */
	const char *ask;
	const char *want;
};

static const struct row domain_rows[] = {
	{ "*", "example.org", "active" },
	{ "!vpopmail", "off.example", "off" },
	{ "*", "catch.example", "active" },
	{ "*", "elsewhere.example", "no" },
	{ "*", "relay.example", "no" },
	{ WITH_ALIAS_DOMAINS, "alias.example", "active example.org" },
	{ WITH_CATCH_ALL_DOMAINS, "alias.example", "active" },
	{ "froxlor", "alias.example", "no" },
	/* stored with a blank behind, which the server pads away */
	{ "*", "blank.example", "no" },
	{ "postfixadmin postfixadmin3", "all", "no" },
	{ "vpopmail", "dom_89", "no" },
};

static const struct row mailbox_rows[] = {
	{ "*", "bob@example.org", "active 5242880" },
	{ "*", "off@example.org", "off 0" },
	{ "!vpopmail", "nina@off.example", "off 0" },
	{ "*", "keep@example.org", "active 0" },
	{ "!modoboa", "smtp@example.org", "active 0" },
	{ "*", "sales@example.org", "no" },
	{ "*", "eve@example.org", "no" },
	{ "*", "eve@elsewhere.example", "no" },
	/* the MTA relays its domain now; the account is still there */
	{ "iredmail mailcow modoboa postfixadmin postfixadmin3 vimbadmin",
	  "ray@relay.example", "off 0" },
	{ "*", "bob@alias.example", "no" },
	{ "*",
	  "b\xc3\xb3"
	  "b@example.org",
	  "no" },
	/* the tables cannot hold it (latin1, utf8mb3), or do not */
	{ "*", "\xd0\xb6@example.org", "no" },
	{ "*", "\xf0\x9f\x8e\x89@example.org", "no" },
	{ "*", "\"bob \"@example.org", "no" },
	{ "*", "bo_@example.org", "no" },
	{ "*", "bo%@example.org", "no" },
	{ "iredmail", "full@example.org", "off 0" },
	{ "ispconfig", "away@example.org", "off 0" },
	{ "ispconfig froxlor", "carl@example.org", "active 0" },
	{ "ispconfig froxlor", "c17@example.org", "no" },
	{ "extmail", "pop@example.org", "active 700" },
	{ "extmail", "old@example.org", "off 0" },
	{ "extmail", "soon@example.org", "active 0" },
	{ "vimbadmin", "going@example.org", "off 0" },
	{ "modoboa", "smtp@example.org", "off 0" },
	{ "vpopmail", "pop@example.org", "active 0" },
	{ "mailcow", "deaf@example.org", "active 0" },
	{ "mailcow", "room@example.org", "no" },
	{ "mailcow", "ldap@example.org", "active 0" },
};

#define SALES "bob@example.org remote@elsewhere.example"

static const struct row alias_rows[] = {
	{ "*", "sales@example.org", SALES },
	{ "*", "keep@example.org", "bob@example.org keep@example.org" },
	{ "*", "gone@example.org", "no" },
	{ "*", "eve@example.org", "no" },
	{ "*", "s\xc3\xa1les@example.org", "no" },
	{ "*", "\xf0\x9f\x8e\x89@example.org", "no" },
	{ "*", "@\xd0\xb6.example", "no" },
	{ "*", "@example.org", "no" },
	{ "!vpopmail", "@catch.example", "bob@example.org" },
	{ "vpopmail", "@catch.example", "no" },
	{ "*", "any@catch.example", "no" },
	{ "*", "catch.example@example.org", "no" },
	{ WITH_CATCH_ALL_DOMAINS, "@alias.example", "@example.org" },
	{ WITH_ALIAS_DOMAINS, "@alias.example", "no" },
	{ "postfixadmin postfixadmin3 mailcow modoboa vimbadmin froxlor",
	  "bob@example.org", "bob@example.org" },
	{ "ispconfig", "away@example.org", "bob@example.org" },
	{ "modoboa", "past@example.org", "no" },
	{ "vpopmail", "file@example.org", "no" },
	{ "mailcow", "x1@example.org", "bob@example.org" },
	{ "mailcow", "x2@example.org", "no" },
	{ "froxlor", "all@catch.example", "bob@example.org" },
	{ "froxlor", "none@example.org", "no" },
};

/* Rows as "hash mailbox doors", in the order of the query; '-' for a row that
 * is not active. */
static const struct row login_rows[] = {
	{ "!postfixadmin mailcow", "bob@example.org",
	  "hash-bob bob@example.org smtp pop3" },
	{ "postfixadmin", "bob@example.org",
	  "hash-bob bob@example.org smtp pop3,"
	  "hash-phone bob@example.org smtp pop3" },
	{ "mailcow", "bob@example.org",
	  "hash-bob bob@example.org smtp pop3,hash-phone bob@example.org smtp,"
	  "- hash-lost bob@example.org smtp pop3" },
	{ "*", "eve@example.org", "no" },
	{ "*", "sales@example.org", "no" },
	{ "*", "bob@elsewhere.example", "no" },
	{ "*", "\xf0\x9f\x8e\x89@example.org", "no" },
	{ "!postfixadmin mailcow",
	  "b\xc3\xb3"
	  "b@example.org",
	  "no" },
	/* there is such an application password, but no such mailbox */
	{ "postfixadmin mailcow",
	  "b\xc3\xb3"
	  "b@example.org",
	  "not temp" },
	{ "!vpopmail ispconfig", "off@example.org",
	  "- hash-off off@example.org smtp pop3" },
	/* these only disable receiving */
	{ "vpopmail ispconfig", "off@example.org",
	  "hash-off off@example.org smtp pop3" },
	{ "!vpopmail", "nina@off.example",
	  "- hash-nina nina@off.example smtp pop3" },
	{ "!postfixadmin postfixadmin3", "smtp@example.org",
	  "hash-smtp smtp@example.org smtp" },
	{ "!postfixadmin3 modoboa", "pop@example.org",
	  "hash-pop pop@example.org pop3" },
	{ "!vpopmail", "bob@alias.example", "no" },
	{ "vpopmail", "bob@alias.example",
	  "hash-bob bob@example.org smtp pop3" },
	{ "vpopmail", "norelay@example.org",
	  "hash-norelay norelay@example.org pop3" },
	{ "vpopmail", "ann@shut.example", "hash-ann ann@shut.example" },
	{ "vpopmail", "boss@shut.example",
	  "hash-boss boss@shut.example smtp pop3" },
	{ "ispconfig froxlor", "c17@example.org",
	  "hash-carl carl@example.org smtp pop3" },
	{ "ispconfig froxlor", "carl@example.org",
	  "hash-carl carl@example.org smtp pop3" },
	{ "native iredmail", "keep@example.org",
	  "hash-keep keep@example.org smtp+tls pop3+tls" },
	{ "!native iredmail", "keep@example.org",
	  "hash-keep keep@example.org smtp pop3" },
	{ "extmail", "old@example.org",
	  "expired hash-old old@example.org smtp pop3" },
	{ "vimbadmin", "going@example.org",
	  "- hash-going going@example.org smtp pop3" },
	{ "mailcow", "deaf@example.org",
	  "- hash-deaf deaf@example.org smtp pop3" },
	{ "mailcow", "room@example.org", "no" },
	{ "mailcow", "ldap@example.org",
	  "hash-app ldap@example.org smtp pop3" },
	{ "mailcow", "stale@example.org",
	  "- hash-stale stale@example.org smtp pop3" },
};

/* The same without the password. */
static const struct row state_rows[] = {
	{ "*", "bob@example.org", "smtp pop3" },
	{ "*", "eve@example.org", "no" },
	{ "*", "sales@example.org", "no" },
	{ "!vpopmail", "bob@alias.example", "no" },
	{ "vpopmail", "bob@alias.example", "smtp pop3" },
	{ "!vpopmail ispconfig", "off@example.org", "- smtp pop3" },
	{ "!vpopmail", "nina@off.example", "- smtp pop3" },
	{ "!postfixadmin postfixadmin3 mailcow", "smtp@example.org", "smtp" },
	{ "!postfixadmin3 modoboa mailcow", "pop@example.org", "pop3" },
	{ "ispconfig froxlor", "c17@example.org", "smtp pop3" },
	{ "vpopmail", "norelay@example.org", "pop3" },
	{ "extmail", "old@example.org", "expired smtp pop3" },
	{ "mailcow", "deaf@example.org", "- smtp pop3" },
	{ "native iredmail", "keep@example.org", "smtp+tls pop3+tls" },
};

/* "login sender" */
static const struct row sender_rows[] = {
	{ "*", "bob@example.org bob@example.org", "yes" },
	{ "*", "bob@example.org sales@example.org", "yes" },
	{ "*", "smtp@example.org sales@example.org", "no" },
	{ "*", "bob@example.org smtp@example.org", "no" },
	{ "*", "bob@example.org eve@example.org", "no" },
	{ "*", "bob@example.org bob@elsewhere.example", "no" },
	{ "*", "eve@example.org eve@example.org", "no" },
	/* who forwards his mail lends nobody his name */
	{ "*", "bob@example.org keep@example.org", "no" },
	{ "*", "bob@example.org gone@example.org", "no" },
	{ "*", "keep@example.org bob@example.org", "no" },
	{ "*",
	  "b\xc3\xb3"
	  "b@example.org bob@example.org",
	  "no" },
	{ "*",
	  "bob@example.org b\xc3\xb3"
	  "b@example.org",
	  "no" },
	{ "*",
	  "b\xc3\xb3"
	  "b@example.org sales@example.org",
	  "no" },
	{ "*", "bob@example.org s\xc3\xa1les@example.org", "no" },
	{ "*", "\xf0\x9f\x8e\x89@example.org sales@example.org", "no" },
	{ "!froxlor", "bob@example.org bob@alias.example", "yes" },
	{ "!froxlor", "bob@example.org keep@alias.example", "no" },
	{ "native postfixadmin postfixadmin3 iredmail modoboa",
	  "bob@example.org sales@alias.example", "yes" },
	{ "*", "smtp@example.org sales@alias.example", "no" },
	/* what an alias domain has of its own is not the namesake's */
	{ "!froxlor vpopmail native", "smtp@example.org smtp@alias.example",
	  "no" },
	{ "!froxlor vpopmail native", "bob@example.org smtp@alias.example",
	  "yes" },
	{ "!froxlor", "off@example.org off@alias.example", "yes" },
	{ "native postfixadmin postfixadmin3 extmail vimbadmin ispconfig",
	  "keep@example.org keep@alias.example", "no" },
	{ "vpopmail iredmail mailcow modoboa",
	  "keep@example.org keep@alias.example", "yes" },
	{ "native postfixadmin postfixadmin3 iredmail modoboa",
	  "bob@example.org team@alias.example", "no" },
	{ "native postfixadmin postfixadmin3 iredmail modoboa",
	  "smtp@example.org team@alias.example", "yes" },
	{ "*", "smtp@example.org bob@alias.example", "no" },
	{ "*", "smtp@example.org any@catch.example", "no" },
	{ "ispconfig", "bob@example.org info@example.org", "no" },
	{ "ispconfig froxlor", "c17@example.org carl@example.org", "yes" },
	{ "ispconfig froxlor", "carl@example.org carl@example.org", "yes" },
	{ "ispconfig froxlor", "c17@example.org bob@example.org", "no" },
	{ "ispconfig froxlor", "c17@example.org desk@example.org", "yes" },
	{ "ispconfig froxlor", "carl@example.org desk@example.org", "yes" },
	{ "ispconfig froxlor", "c17@example.org sales@example.org", "no" },
	{ "modoboa", "bob@example.org past@example.org", "no" },
	{ "modoboa mailcow", "bob@example.org robert@elsewhere.example",
	  "yes" },
	{ "modoboa mailcow", "smtp@example.org robert@elsewhere.example",
	  "no" },
	{ "modoboa mailcow", "bob@example.org any@brand.example", "yes" },
	{ "vpopmail", "bob@alias.example bob@alias.example", "yes" },
	{ "vpopmail", "bob@alias.example bob@example.org", "yes" },
	{ "vpopmail", "bob@alias.example keep@example.org", "no" },
	{ "vpopmail", "bob@catch.example bob@example.org", "no" },
	{ "mailcow", "bob@example.org info@example.org", "no" },
	{ "mailcow", "bob@example.org any@catch.example", "yes" },
	{ "mailcow", "pop@example.org any@elsewhere.example", "yes" },
};

#endif
