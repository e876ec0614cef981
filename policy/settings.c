/* policy/settings.c: see settings.h. */
#include "policy/settings.h"

#include <pthread.h>
#include <stdatomic.h>

#include "lib/confload.h"
#include "lib/log.h"
#include "policy/decisionlog.h"
#include "policy/refresh.h"

struct settings_private {
	atomic_uint refs;
	struct profile *profile;
	struct db_target *deliver_target;
	struct db_target *lookup_target;
	struct db_target *accounts_target;
	struct pool *lookup;
	struct pool *accounts; /* NULL: the store's */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct settings *current;

/* Set once, before the first thread. */
static enum program program;
static struct policy_data *policy; /* outlives all settings */
static struct underway *underway;  /* so does this */

static void settings_free(struct settings *s)
{
	struct settings_private *p = s->priv;

	if (p) {
		pool_free(&s->deliver);
		pool_free(&p->lookup);
		pool_free(&p->accounts);
		db_target_free(&p->deliver_target);
		db_target_free(&p->lookup_target);
		db_target_free(&p->accounts_target);
		profile_free(&p->profile);
		judge_memory_free(&s->judge.memory);
		free(p);
	}
	conf_unref(&s->conf);
	free(s);
}

static bool settings_no_memory(struct buf *why)
{
	buf_puts(why, "out of memory\n");
	return false;
}

/* A look-up that waits for one answer as long as a commit may would miss its
 * own deadline. */
static bool settings_make_targets(struct settings_private *p,
				  const struct conf *c, struct buf *why)
{
	p->deliver_target = db_target_new(c, program, DB_STORE, why);
	if (!p->deliver_target)
		return false; /* told once is enough */
	p->lookup_target = db_target_new(c, program, DB_STORE, why);
	p->accounts_target = db_target_new(c, program, DB_ACCOUNTS, why);
	if (!p->lookup_target || !p->accounts_target)
		return false;
	db_target_limit(p->lookup_target, c->lookup_timeout);
	db_target_limit(p->accounts_target, c->lookup_timeout);
	return true;
}

static bool settings_connect(struct settings *s, struct buf *why)
{
	struct settings_private *p = s->priv;
	const struct conf *c = s->conf;
	size_t lookups = (size_t)c->lookup_connections;

	if (!settings_make_targets(p, c, why))
		return false;
	s->deliver =
		pool_new(p->deliver_target, (size_t)c->deliver_connections);
	p->lookup = pool_new(p->lookup_target, lookups);
	if (!s->deliver || !p->lookup)
		return settings_no_memory(why);
	if (db_target_same(p->lookup_target, p->accounts_target))
		return true;
	p->accounts = pool_new(p->accounts_target, lookups);
	return p->accounts || settings_no_memory(why);
}

static bool settings_fill(struct settings *s, struct buf *why)
{
	struct settings_private *p;

	s->priv = p = calloc(1, sizeof(*p));
	if (!p)
		return settings_no_memory(why);
	atomic_init(&p->refs, 1);
	p->profile = profile_load(s->conf->profile_dir, s->conf->profile, why);
	if (!p->profile || !settings_connect(s, why))
		return false;
	p->profile->keep_case = !s->conf->fold_local_part;
	s->judge = (struct judge){ .conf = s->conf,
				   .profile = p->profile,
				   .store = p->lookup,
				   .accounts = p->accounts ? p->accounts
							   : p->lookup,
				   .memory = judge_memory_new(),
				   .policy = policy,
				   .underway = underway };
	return s->judge.memory || settings_no_memory(why);
}

static struct settings *settings_new(struct conf *conf, struct buf *why)
{
	struct settings *s = calloc(1, sizeof(*s));

	if (!s) {
		conf_unref(&conf);
		(void)settings_no_memory(why);
		return NULL;
	}
	s->conf = conf;
	if (settings_fill(s, why))
		return s;
	settings_free(s);
	return NULL;
}

static void settings_swap(struct settings *s)
{
	struct settings *old;

	(void)pthread_mutex_lock(&lock);
	old = current;
	current = s;
	(void)pthread_mutex_unlock(&lock);
	if (old)
		settings_put(&old);
}

static bool settings_replace(struct conf *conf, struct buf *why)
{
	struct settings *s = settings_new(conf, why);

	if (s && !decisionlog_open(s->conf, program, why)) {
		settings_free(s);
		s = NULL;
	}
	if (s)
		settings_swap(s);
	return s != NULL;
}

bool settings_open(struct conf *conf, enum program self, struct buf *why)
{
	program = self;
	policy = policy_data_new();
	underway = underway_new();
	if (!policy || !underway) {
		conf_unref(&conf);
		return settings_no_memory(why);
	}
	if (!settings_replace(conf, why))
		return false;
	if (refresh_start(policy))
		return true;
	buf_puts(why, "cannot start a thread\n");
	return false;
}

/* One log line each. */
static void log_problems(struct span lines)
{
	struct span line;

	while (lines.n) {
		(void)span_cut(lines, '\n', &line, &lines);
		if (line.n)
			log_warn("%.*s", (int)line.n, line.p);
	}
}

void settings_reload(const char *conf_file)
{
	struct buf why = BUF_INIT(65536);
	struct conf *c = confload(conf_file, &why);

	if (c && settings_replace(c, &why)) {
		log_info("configuration '%s' read again", conf_file);
	} else {
		log_problems(buf_span(&why));
		log_warn("cannot use the new configuration '%s': the one "
			 "before stays in force",
			 conf_file);
	}
	buf_release(&why);
}

struct settings *settings_get(void)
{
	struct settings *s;

	(void)pthread_mutex_lock(&lock);
	s = current;
	atomic_fetch_add(&s->priv->refs, 1);
	(void)pthread_mutex_unlock(&lock);
	return s;
}

void settings_put(struct settings **s)
{
	struct settings *old = *s;

	*s = NULL;
	if (old && atomic_fetch_sub(&old->priv->refs, 1) == 1)
		settings_free(old);
}

bool settings_own_host(const struct settings *s, const char *mta,
		       struct span host)
{
	const struct conf_list *own = &s->conf->own_hosts;

	if (own->n > 0)
		return conf_list_has(own, host);
	return mta[0] && span_eq_nocase(host, span_of(mta));
}
