#include "auth/settings.h"

static bool settings_fill(struct settings *s, struct buf *why)
{
	s->profile = profile_load(s->conf->profile_dir, s->conf->profile, why);
	s->accounts = db_target_new(s->conf, PROG_AUTHD, DB_ACCOUNTS, why);
	s->store = db_target_new(s->conf, PROG_AUTHD, DB_STORE, why);
	if (!s->profile || !s->accounts || !s->store)
		return false;
	/* to ask, and to ask again on a new connection, and then to know what
	 * to say must be done by the deadline of an answer */
	if (s->conf->auth_grace > 0)
		db_target_limit(s->accounts, s->conf->auth_timeout / 3);
	s->profile->keep_case = !s->conf->fold_local_part;
	s->one_server = db_target_same(s->accounts, s->store);
	if (s->profile->query[PQ_LOGIN].n > 0)
		return true;
	buf_printf(why, "profile '%s' has no %s\n", s->profile->name,
		   profile_query_name(PQ_LOGIN));
	return false;
}

struct settings *settings_new(struct conf *c, struct buf *why)
{
	struct settings *s = calloc(1, sizeof(*s));

	if (!s) {
		buf_puts(why, "out of memory\n");
		return NULL;
	}
	atomic_init(&s->refs, 1);
	s->conf = conf_ref(c);
	if (!settings_fill(s, why))
		settings_unref(&s);
	return s;
}

struct settings *settings_ref(struct settings *s)
{
	atomic_fetch_add(&s->refs, 1);
	return s;
}

void settings_unref(struct settings **s)
{
	struct settings *old = *s;

	*s = NULL;
	if (!old || atomic_fetch_sub(&old->refs, 1) != 1)
		return;
	profile_free(&old->profile);
	db_target_free(&old->accounts);
	db_target_free(&old->store);
	conf_unref(&old->conf);
	free(old);
}
