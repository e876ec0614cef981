/* sql/verify.c: the steps, the findings by name, and what to do about them. */
#include "sql/verify.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "sql/verifyint.h"

#define BACKUP                                                                 \
	"the mail is damaged: bring back its rows of content and chunk from a" \
	" backup"

static const struct {
	const char *name, *fix;
} kinds[] = {
	[VERIFY_COUNTERS] = { "counters", "mailrow verify --repair" },
	[VERIFY_UID_NEXT] = { "uid-next", "mailrow verify --repair" },
	[VERIFY_UIDL] = { "uidl",
			  "a client fetches only one of them: give the customer"
			  " the others by mailrow mailbox export" },
	[VERIFY_TWICE] = { "twice",
			   "undelete passes it by; the purge takes the one in"
			   " the trash" },
	[VERIFY_NO_MAILBOX] = { "no-mailbox",
				"mailrow verify --repair makes them a retired"
				" mailbox" },
	[VERIFY_NO_CONTENT] = { "no-content", BACKUP },
	[VERIFY_OCTETS] = { "octets", BACKUP },
	[VERIFY_CHUNKS] = { "chunks", BACKUP },
	[VERIFY_SHA256] = { "sha256", BACKUP },
	[VERIFY_REFS] = { "refs", "mailrow verify --repair" },
	[VERIFY_UNNAMED] = { "unnamed", "mailrow purge" },
	[VERIFY_ORPHAN] = { "orphan",
			    "mailrow verify --repair, when they are a day"
			    " old" },
};

const char *verify_name(enum verify_kind k)
{
	return kinds[k].name;
}

const char *verify_fix(enum verify_kind k)
{
	return kinds[k].fix;
}

void verify_progress(struct verify *v)
{
	v->s->progress(v->s->arg, v->step, &v->r);
}

void verify_tell(struct verify *v, struct verify_finding f, const char *fmt,
		 ...)
{
	char what[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	f.what = what;
	v->r.findings++;
	v->r.mended += f.mended;
	v->s->tell(v->s->arg, &f);
}

static enum db_result walk(struct verify *v)
{
	enum db_result r;

	v->step = "mailboxes";
	r = verifybox_walk(v);
	if (r != DB_OK || v->s->n > 0)
		return r;
	v->step = "bodies";
	r = verifycontent_walk(v);
	v->step = "chunks";
	return r == DB_OK ? verifycontent_orphans(v) : r;
}

static bool never_ends(void *arg, const char *step,
		       const struct purge_report *so_far)
{
	(void)arg;
	(void)step;
	(void)so_far;
	return true;
}

enum db_result verify_run(struct db *db, const struct verify_settings *s,
			  struct verify_report *r_r)
{
	const struct purge_settings ps = { .go_on = never_ends };
	struct purge mender = { .db = s->mender, .s = &ps, .step = "verify" };
	struct verify *v = calloc(1, sizeof(*v));
	enum db_result r = DB_DOWN;

	*r_r = (struct verify_report){ 0 };
	if (!v)
		return r;
	v->db = db;
	v->s = s;
	v->mender = s->mender ? &mender : NULL;
	v->digest = s->deep ? EVP_MD_CTX_new() : NULL;
	if (!s->deep || v->digest)
		r = walk(v);
	*r_r = v->r;
	EVP_MD_CTX_free(v->digest);
	free(v);
	return r;
}
