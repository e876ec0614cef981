/* tests/unit/expandrows.h: recipients in little worlds (world.h), and where
 * each of them leads. One table a sentence of policy/expand.h. */
#ifndef MAILROW_TESTS_UNIT_EXPANDROWS_H
#define MAILROW_TESTS_UNIT_EXPANDROWS_H

#define L10 "llllllllll"
#define L60 L10 L10 L10 L10 L10 L10
#define L62 L60 "ll"
#define L63 L60 "lll"
#define L64 L60 "llll"

/* The longest domain name: 255 octets. */
#define D255 L63 "." L63 "." L63 "." L63

struct row {
	const char *world;
	const char *rcpt;
	const char *want; /* one target a word, "end:..." for none */
};

#define BOX(a)     "box:" a "\n"
#define FOREIGN(a) "foreign:" a "\n"
#define UNKNOWN(a) "unknown:" a "\n"
#define OFF(a)     "off:" a "\n"
#define BAD(a)     "bad:" a "\n"
#define TEMP       "end:temp\n"
#define TOO_FAR    "end:too-far\n"

/* What most worlds begin with: two domains, two mailboxes as PostfixAdmin
 * makes them, each with an alias to itself. */
#define DOMAINS "domain a.test\ndomain b.test\n"
#define BOB     "mailbox bob@a.test\nalias bob@a.test bob@a.test\n"
#define EVE     "mailbox eve@b.test\nalias eve@b.test eve@b.test\n"
#define SITE    DOMAINS BOB EVE

static const struct row plain[] = {
	{ SITE, "x@other.test", FOREIGN("x@other.test") },
	{ "", "x@a.test", FOREIGN("x@a.test") },
	{ "mailbox x@a.test", "x@a.test", FOREIGN("x@a.test") },
	{ SITE, "bob@a.test", BOX("bob@a.test") },
	{ DOMAINS "mailbox ann@a.test", "ann@a.test", BOX("ann@a.test") },
	{ SITE, "nobody@a.test", UNKNOWN("nobody@a.test") },
	{ SITE, "eve@a.test", UNKNOWN("eve@a.test") },
	{ SITE, "nobody+x@a.test", UNKNOWN("nobody+x@a.test") },
	{ "domain a.test off\nmailbox x@a.test", "x@a.test", OFF("x@a.test") },
	{ "domain a.test foreign dim", "x@a.test", FOREIGN("x@a.test") },
	{ "domain a.test dim\nmailbox x@a.test", "x@a.test", TEMP },
	{ "domain a.test temp\nmailbox x@a.test", "x@a.test", TEMP },
};

static const struct row aliases[] = {
	/* goto without itself: forward only, no local copy */
	{ DOMAINS "mailbox bob@a.test\nalias bob@a.test eve@b.test\n" EVE,
	  "bob@a.test", BOX("eve@b.test") },
	{ DOMAINS "mailbox bob@a.test\nalias bob@a.test x@far.test",
	  "bob@a.test", FOREIGN("x@far.test") },
	/* who sorts into folders elsewhere: his own address, extended */
	{ DOMAINS "mailbox bob@a.test\nalias bob@a.test bob+x@a.test",
	  "bob@a.test", BOX("bob@a.test") },
	{ DOMAINS "mailbox bob@a.test\n"
		  "alias bob@a.test bob@a.test,x@far.test",
	  "bob@a.test", BOX("bob@a.test") FOREIGN("x@far.test") },
	/* vacation: the robot's address is a foreign one */
	{ DOMAINS "mailbox bob@a.test\n"
		  "alias bob@a.test bob@a.test,bob#a.test@autoreply.a.test",
	  "bob@a.test",
	  BOX("bob@a.test") FOREIGN("bob#a.test@autoreply.a.test") },
	/* one row or several, and whatever stands between targets */
	{ DOMAINS "alias l@a.test x@f.test, y@f.test ,,\tz@f.test\r",
	  "l@a.test",
	  FOREIGN("x@f.test") FOREIGN("y@f.test") FOREIGN("z@f.test") },
	{ DOMAINS "alias l@a.test x@f.test y@f.test\nalias l@a.test z@f.test",
	  "l@a.test",
	  FOREIGN("x@f.test") FOREIGN("y@f.test") FOREIGN("z@f.test") },
	/* the local part of a target is any; its domain is made canonical */
	{ DOMAINS "alias l@a.test <x@F.Test>,\"y.z\"@f.test", "l@a.test",
	  FOREIGN("x@f.test") FOREIGN("y.z@f.test") },
	{ DOMAINS "alias l@a.test x@b\xc3\xbc"
		  "cher.test",
	  "l@a.test", FOREIGN("x@xn--bcher-kva.test") },
	/* an alias of an alias, in the order in which they are found */
	{ SITE "alias l@a.test m@b.test,bob@a.test,n@b.test\n"
	       "alias m@b.test x@f.test,eve@b.test\n"
	       "alias n@b.test nobody@a.test",
	  "l@a.test",
	  BOX("bob@a.test") FOREIGN("x@f.test") BOX("eve@b.test")
		  UNKNOWN("nobody@a.test") },
	/* "store here" without a mailbox */
	{ DOMAINS "alias l@a.test l@a.test", "l@a.test", UNKNOWN("l@a.test") },
	/* an end that is no use does not hide the others */
	{ SITE "domain c.test off\n"
	       "alias l@a.test x@c.test,nobody@a.test,bob@a.test",
	  "l@a.test",
	  OFF("x@c.test") UNKNOWN("nobody@a.test") BOX("bob@a.test") },
	/* leads nowhere, as a circle does */
	{ DOMAINS "mailbox l@a.test\nalias l@a.test", "l@a.test", TOO_FAR },
	{ SITE "alias l@a.test , ,", "l@a.test", TOO_FAR },
	{ SITE "alias l@a.test m@a.test,bob@a.test\nalias m@a.test", "l@a.test",
	  BOX("bob@a.test") },
};

static const struct row duplicates[] = {
	{ SITE "alias l@a.test bob@a.test,x@f.test,bob@a.test,x@f.test",
	  "l@a.test", BOX("bob@a.test") FOREIGN("x@f.test") },
	{ SITE "alias l@a.test m@a.test,n@a.test,bob@a.test\n"
	       "alias m@a.test bob@a.test,x@f.test\n"
	       "alias n@a.test x@f.test,bob@a.test,x@F.TEST",
	  "l@a.test", BOX("bob@a.test") FOREIGN("x@f.test") },
	/* two addresses of one mailbox */
	{ SITE "alias l@a.test bob+x@a.test,bob@a.test,bob+y@a.test",
	  "l@a.test", BOX("bob@a.test") },
	{ SITE "domain c.test = a.test\nalias l@a.test bob@c.test,bob@a.test",
	  "l@a.test", BOX("bob@a.test") },
	{ DOMAINS "mailbox m@a.test\nalias l@a.test m+x@a.test,m+y@a.test",
	  "l@a.test", BOX("m@a.test") },
};

static const struct row extensions[] = {
	{ SITE, "bob+box@a.test", BOX("bob@a.test") },
	{ DOMAINS "mailbox m@a.test", "m+x@a.test", BOX("m@a.test") },
	{ SITE "mailbox bob+box@a.test", "bob+box@a.test",
	  BOX("bob+box@a.test") },
	{ SITE "alias bob+box@a.test eve@b.test", "bob+box@a.test",
	  BOX("eve@b.test") },
	/* full alias, full mailbox, base alias, base mailbox */
	{ DOMAINS "alias m+x@a.test 1@f.test\nmailbox m+x@a.test\n"
		  "alias m@a.test 3@f.test\nmailbox m@a.test",
	  "m+x@a.test", FOREIGN("1@f.test") },
	{ DOMAINS "mailbox m+x@a.test\n"
		  "alias m@a.test 3@f.test\nmailbox m@a.test",
	  "m+x@a.test", BOX("m+x@a.test") },
	{ DOMAINS "alias m@a.test 3@f.test\nmailbox m@a.test", "m+x@a.test",
	  FOREIGN("3+x@f.test") },
	/* the first delimiter counts; nothing behind it is an extension too */
	{ SITE, "bob+x+y@a.test", BOX("bob@a.test") },
	{ SITE "mailbox bob+x@a.test", "bob+x+y@a.test", BOX("bob@a.test") },
	{ SITE, "bob+@a.test", BOX("bob@a.test") },
	{ SITE, "+bob@a.test", UNKNOWN("+bob@a.test") },
	{ SITE "alias l@a.test x@f.test", "l+@a.test", FOREIGN("x+@f.test") },
	/* carried to the targets, and on from there */
	{ SITE "alias l@a.test bob@a.test,x@f.test", "l+box@a.test",
	  BOX("bob@a.test") FOREIGN("x+box@f.test") },
	{ SITE "alias l@a.test m@a.test\nalias m@a.test x@f.test",
	  "l+box@a.test", FOREIGN("x+box@f.test") },
	{ SITE "alias l@a.test m@a.test\nmailbox m+box@a.test\n"
	       "mailbox m@a.test",
	  "l+box@a.test", BOX("m+box@a.test") },
	{ SITE "alias l@a.test x+y@f.test", "l+box@a.test",
	  FOREIGN("x+y+box@f.test") },
	/* not when it was matched */
	{ SITE "alias l+box@a.test x@f.test", "l+box@a.test",
	  FOREIGN("x@f.test") },
	/* not to "store here", not to "@other", not to a catch-all's */
	{ DOMAINS "mailbox m@a.test\nmailbox m+x@a.test\n"
		  "alias m@a.test m@a.test",
	  "m+y@a.test", BOX("m@a.test") },
	{ DOMAINS "mailbox m@a.test\nalias m@a.test m@a.test,x@f.test",
	  "m+y@a.test", BOX("m@a.test") FOREIGN("x+y@f.test") },
	{ DOMAINS "alias m@a.test @f.test", "m+y@a.test",
	  FOREIGN("m+y@f.test") },
	{ DOMAINS "alias @a.test x@f.test", "m+y@a.test", FOREIGN("x@f.test") },
	{ DOMAINS "alias @a.test @f.test", "m+y@a.test",
	  FOREIGN("m+y@f.test") },
	/* not where it has no room: a local part has 64 octets */
	{ DOMAINS "alias m@a.test " L62 "@f.test", "m+y@a.test",
	  FOREIGN(L62 "+y@f.test") },
	{ DOMAINS "alias m@a.test " L63 "@f.test", "m+y@a.test",
	  FOREIGN(L63 "@f.test") },
	{ DOMAINS "alias m@a.test " L64 "@f.test,x@f.test", "m+y@a.test",
	  FOREIGN(L64 "@f.test") FOREIGN("x+y@f.test") },
	{ DOMAINS "alias m@a.test " L62 "@" D255, "m+y@a.test",
	  FOREIGN(L62 "+y@" D255) },
	/* not into quotes */
	{ DOMAINS "alias m@a.test \"x,y\"@f.test,\"x\\\"y\"@f.test",
	  "m+y@a.test", BAD("m@a.test") FOREIGN("\"x\\\"y\"@f.test") },
	{ SITE, "\"bob+ x\"@a.test", UNKNOWN("\"bob+ x\"@a.test") },
};

static const struct row other_domains[] = {
	/* "@other" */
	{ SITE "alias @a.test @b.test", "eve@a.test", BOX("eve@b.test") },
	{ SITE "alias @a.test @b.test", "eve+x@a.test", BOX("eve@b.test") },
	{ SITE "alias @a.test @f.test", "x@a.test", FOREIGN("x@f.test") },
	{ SITE "alias @a.test @F.Test", "\"x y\"@a.test",
	  FOREIGN("\"x y\"@f.test") },
	{ SITE "alias bob@a.test @b.test,@f.test", "bob@a.test",
	  BOX("bob@a.test") UNKNOWN("bob@b.test") FOREIGN("bob@f.test") },
	{ SITE "alias eve@a.test @a.test", "eve@a.test",
	  UNKNOWN("eve@a.test") },
	{ SITE "alias @a.test @b.test\nalias @b.test @a.test", "x@a.test",
	  TOO_FAR },
	{ SITE "alias @a.test @" D255, "x@a.test", FOREIGN("x@" D255) },
	/* five octets of quotes and pairs more than an address may have */
	{ SITE "alias @a.test @" D255 ",x@f.test", "\"\\\"" L62 "\"@a.test",
	  BAD("\"\\\"" L62 "\"@a.test") FOREIGN("x@f.test") },
	{ SITE "alias @a.test @" D255, L64 "@a.test", FOREIGN(L64 "@" D255) },
	/* alias domains: all of 1 to 4 there, with what the alias says there */
	{ SITE "domain c.test = a.test", "bob@c.test", BOX("bob@a.test") },
	{ SITE "domain c.test = a.test", "bob+x@c.test", BOX("bob@a.test") },
	{ SITE "domain c.test = a.test\nmailbox bob+x@a.test", "bob+x@c.test",
	  BOX("bob+x@a.test") },
	{ SITE "domain c.test = a.test\nalias l@a.test x@f.test", "l+e@c.test",
	  FOREIGN("x+e@f.test") },
	{ SITE "domain c.test = a.test\nalias l@a.test @f.test", "l+e@c.test",
	  FOREIGN("l+e@f.test") },
	{ SITE "domain c.test = a.test", "eve@c.test", UNKNOWN("eve@c.test") },
	/* what is in the domain itself comes first */
	{ SITE "domain c.test = a.test\nmailbox bob@c.test", "bob@c.test",
	  BOX("bob@c.test") },
	{ SITE "domain c.test = a.test\nmailbox bob@c.test\n"
	       "mailbox bob+x@a.test",
	  "bob+x@c.test", BOX("bob@c.test") },
	{ SITE "domain c.test = a.test\nalias bob@c.test x@f.test",
	  "bob@c.test", FOREIGN("x@f.test") },
	/* the domain it stands for is looked at like any other */
	{ SITE "domain c.test = f.test", "x@c.test", FOREIGN("x@f.test") },
	{ SITE "domain d.test off\ndomain c.test = d.test\n", "x@c.test",
	  OFF("x@d.test") },
	{ SITE "domain d.test dim\ndomain c.test = d.test\n", "x@c.test",
	  TEMP },
	{ SITE "domain d.test temp\ndomain c.test = d.test\n", "x@c.test",
	  TEMP },
	{ SITE "domain c.test = a.test off\n", "bob@c.test",
	  OFF("bob@c.test") },
	/* chains */
	{ SITE "domain d.test = c.test\ndomain c.test = a.test", "bob@d.test",
	  BOX("bob@a.test") },
	{ SITE "domain d.test = c.test\ndomain c.test = a.test\n"
	       "mailbox bob@c.test",
	  "bob@d.test", BOX("bob@c.test") },
	{ "domain a.test = a.test\nmailbox m@a.test", "m@a.test",
	  BOX("m@a.test") },
	{ "domain a.test = a.test\n", "m@a.test", UNKNOWN("m@a.test") },
	{ "domain a.test = b.test\ndomain b.test = a.test\nmailbox m@b.test",
	  "m@a.test", BOX("m@b.test") },
	{ "domain a.test = b.test\ndomain b.test = a.test\n", "m@a.test",
	  UNKNOWN("m@a.test") },
	{ "domain a.test = b.test\ndomain b.test = c.test\n"
	  "domain c.test = b.test\nalias @c.test x@f.test",
	  "m@a.test", FOREIGN("x@f.test") },
	/* the name of the domain leaves no room for that local part */
	{ SITE "domain c.test = " D255, "\"\\\"" L62 "\"@c.test",
	  UNKNOWN("\"\\\"" L62 "\"@c.test") },
};

#define CHAIN5                                                                 \
	"domain 1.test = 2.test\ndomain 2.test = 3.test\n"                     \
	"domain 3.test = 4.test\ndomain 4.test = 5.test\n"

static const struct row chains[] = {
	{ CHAIN5 "domain 5.test\nmailbox m@5.test", "m@1.test",
	  BOX("m@5.test") },
	{ CHAIN5 "domain 5.test\n", "m@1.test", UNKNOWN("m@1.test") },
	{ CHAIN5 "domain 5.test\nalias @5.test x@f.test", "m@1.test",
	  FOREIGN("x@f.test") },
	{ CHAIN5 "domain 5.test = 1.test\n", "m@1.test", UNKNOWN("m@1.test") },
	{ CHAIN5 "domain 5.test = 6.test\ndomain 6.test\nmailbox m@6.test",
	  "m@1.test", TOO_FAR },
	{ CHAIN5 "domain 5.test = 6.test\ndomain 6.test\nmailbox m@6.test",
	  "m@2.test", BOX("m@6.test") },
	{ CHAIN5 "domain 5.test = 6.test\ndomain 6.test\nmailbox m@5.test",
	  "m@1.test", BOX("m@5.test") },
};

static const struct row catch_alls[] = {
	{ SITE "alias @a.test eve@b.test", "nobody@a.test", BOX("eve@b.test") },
	{ SITE "alias @a.test eve@b.test", "bob@a.test", BOX("bob@a.test") },
	{ SITE "alias @a.test eve@b.test", "bob+x@a.test", BOX("bob@a.test") },
	{ DOMAINS "mailbox m@a.test\nalias @a.test x@f.test", "m@a.test",
	  BOX("m@a.test") },
	{ DOMAINS "mailbox m@a.test\nalias @a.test x@f.test", "m+e@a.test",
	  BOX("m@a.test") },
	{ DOMAINS "alias m@a.test y@f.test\nalias @a.test x@f.test", "m@a.test",
	  FOREIGN("y@f.test") },
	{ SITE "alias @a.test eve@b.test,x@f.test", "nobody@a.test",
	  BOX("eve@b.test") FOREIGN("x@f.test") },
	{ SITE "alias l@a.test 1@a.test,2@b.test,3@a.test\n"
	       "alias @b.test x@f.test",
	  "l@a.test",
	  UNKNOWN("1@a.test") UNKNOWN("3@a.test") FOREIGN("x@f.test") },
	/* in the domain of the catch-all */
	{ SITE "alias @a.test bob@a.test", "nobody@a.test", BOX("bob@a.test") },
	{ SITE "alias @a.test none@a.test", "nobody@a.test", TOO_FAR },
	{ SITE "alias @a.test none@a.test", "none@a.test", TOO_FAR },
	/* not of any other domain, nor of an inactive one */
	{ SITE "alias @b.test x@f.test", "nobody@a.test",
	  UNKNOWN("nobody@a.test") },
	{ "domain a.test off\nalias @a.test x@f.test", "m@a.test",
	  OFF("m@a.test") },
	/* the mailbox that an alias names and that is not there: no catch-all
	 */
	{ SITE "alias m@a.test m@a.test\nalias @a.test x@f.test", "m@a.test",
	  UNKNOWN("m@a.test") },
	/* behind the chain of domains, in its order */
	{ SITE "domain c.test = a.test\nalias @c.test x@f.test", "bob@c.test",
	  BOX("bob@a.test") },
	{ SITE "domain c.test = a.test\nalias @c.test x@f.test\n"
	       "alias @a.test y@f.test",
	  "nobody@c.test", FOREIGN("x@f.test") },
	{ SITE "domain c.test = a.test\nalias @a.test y@f.test",
	  "nobody@c.test", FOREIGN("y@f.test") },
	{ SITE "domain d.test = c.test\ndomain c.test = a.test\n"
	       "alias @c.test x@f.test\nalias @a.test y@f.test",
	  "nobody@d.test", FOREIGN("x@f.test") },
};

static const struct row circles[] = {
	{ DOMAINS "alias l@a.test l@b.test\nalias l@b.test l@a.test",
	  "l@a.test", TOO_FAR },
	{ DOMAINS "alias 1@a.test 2@a.test\nalias 2@a.test 3@a.test\n"
		  "alias 3@a.test 1@a.test",
	  "1@a.test", TOO_FAR },
	/* a circle of one, by way of an extension or of a domain */
	{ DOMAINS
	  "alias l+x@a.test l@a.test\nalias l@a.test l@a.test,l@b.test\n"
	  "alias l@b.test l@a.test\nmailbox l@a.test",
	  "l+x@a.test", BOX("l@a.test") },
	{ "domain a.test\ndomain c.test = a.test\nalias l@a.test l@c.test",
	  "l@c.test", TOO_FAR },
	{ DOMAINS "alias @a.test @a.test", "l@a.test", TOO_FAR },
	/* with an exit */
	{ DOMAINS "alias l@a.test l@b.test\nalias l@b.test l@a.test,x@f.test",
	  "l@a.test", FOREIGN("x@f.test") },
	{ DOMAINS BOB "alias 1@a.test 2@a.test\nalias 2@a.test 3@a.test\n"
		      "alias 3@a.test 1@a.test,bob@a.test",
	  "2@a.test", BOX("bob@a.test") },
	{ DOMAINS "mailbox l@a.test\nalias l@a.test l@a.test,l@b.test\n"
		  "alias l@b.test l@a.test",
	  "l@b.test", BOX("l@a.test") },
	/* whose exit is no use either, but an end */
	{ DOMAINS "alias l@a.test l@b.test\nalias l@b.test l@a.test,|prog",
	  "l@a.test", BAD("l@b.test") },
};

static const struct row bad_targets[] = {
	{ SITE "alias l@a.test |/bin/prog", "l@a.test", BAD("l@a.test") },
	{ SITE "alias l@a.test /var/mail/x", "l@a.test", BAD("l@a.test") },
	{ SITE "alias l@a.test :include:/x", "l@a.test", BAD("l@a.test") },
	{ SITE "alias l@a.test root", "l@a.test", BAD("l@a.test") },
	{ SITE "alias l@a.test <>", "l@a.test", BAD("l@a.test") },
	{ SITE "alias l@a.test x@", "l@a.test", BAD("l@a.test") },
	{ SITE "alias l@a.test x@-f.test", "l@a.test", BAD("l@a.test") },
	{ SITE "alias l@a.test x\x01y@f.test", "l@a.test", BAD("l@a.test") },
	{ SITE "alias l@a.test " L64 "l@f.test", "l@a.test", BAD("l@a.test") },
	{ SITE "alias l@a.test x\xff@f.test", "l@a.test", BAD("l@a.test") },
	{ SITE "alias l@a.test @", "l@a.test", BAD("l@a.test") },
	{ SITE "alias l@a.test @-f.test", "l@a.test", BAD("l@a.test") },
	{ SITE "alias l@a.test \"x y\"@f.test", "l@a.test", BAD("l@a.test") },
	/* all of them are one; and they do not stop the others */
	{ SITE "alias l@a.test |a,bob@a.test,|b x,x@f.test", "l@a.test",
	  BAD("l@a.test") BOX("bob@a.test") FOREIGN("x@f.test") },
	/* it is told of the alias, however that was found */
	{ SITE "alias l@a.test |a", "l+x@a.test", BAD("l@a.test") },
	{ SITE "alias l@a.test |a\ndomain c.test = a.test", "l@c.test",
	  BAD("l@a.test") },
	{ SITE "alias l@a.test m@a.test\nalias m@a.test |a", "l@a.test",
	  BAD("m@a.test") },
	/* a catch-all has no address but the one that it caught */
	{ SITE "alias @a.test |a", "l@a.test", BAD("l@a.test") },
};

#endif
