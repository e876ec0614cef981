/* policy/refresh.c: see refresh.h. */
#include "policy/refresh.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/metric.h"
#include "policy/settings.h"
#include "policy/snapshot_make.h"
#include "sql/policydata.h"

enum {
	LOOK_MS = 500,
	FIRST_S = 5,

	/* Tables that lack a trigger, or were emptied by TRUNCATE, do not tell
	 * of it. */
	READ_ANYWAY_MS = 300000,

	/* Tables that change all the time are read for a quarter of it. */
	REST = 3
};

struct policy_data {
	pthread_mutex_t lock;
	pthread_cond_t was_tried;
	bool tried;            /* or nobody tries */
	struct timespec until; /* the first try is waited for */
	struct snapshot *s;
};

/* Its deadlines are of clock.h. */
static bool cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;
	bool ok;

	if (pthread_condattr_init(&attr) != 0)
		return false;
	ok = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 &&
	     pthread_cond_init(cond, &attr) == 0;
	(void)pthread_condattr_destroy(&attr);
	return ok;
}

struct policy_data *policy_data_new(void)
{
	struct policy_data *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->tried = true;
	if (pthread_mutex_init(&p->lock, NULL) != 0) {
		free(p);
		return NULL;
	}
	if (!cond_init(&p->was_tried)) {
		(void)pthread_mutex_destroy(&p->lock);
		free(p);
		return NULL;
	}
	return p;
}

void policy_data_free(struct policy_data **p)
{
	if (!*p)
		return;
	snapshot_put(&(*p)->s);
	(void)pthread_cond_destroy(&(*p)->was_tried);
	(void)pthread_mutex_destroy(&(*p)->lock);
	free(*p);
	*p = NULL;
}

struct snapshot *snapshot_get(struct policy_data *p)
{
	struct snapshot *s;
	int rc = 0;

	(void)pthread_mutex_lock(&p->lock);
	while (!p->tried && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(&p->was_tried, &p->lock, &p->until);
	s = p->s ? snapshot_ref(p->s) : NULL;
	(void)pthread_mutex_unlock(&p->lock);
	return s;
}

void policy_data_swap(struct policy_data *p, struct snapshot *s)
{
	struct snapshot *old;

	(void)pthread_mutex_lock(&p->lock);
	old = p->s;
	p->s = s;
	(void)pthread_mutex_unlock(&p->lock);
	snapshot_put(&old);
}

static void policy_data_tried(struct policy_data *p)
{
	(void)pthread_mutex_lock(&p->lock);
	p->tried = true;
	(void)pthread_cond_broadcast(&p->was_tried);
	(void)pthread_mutex_unlock(&p->lock);
}

/* From rows to a snapshot. */

struct reading {
	struct snapshot_maker m;
	uint64_t generation;
	bool complete; /* all rows were there to be looked at */
};

static struct span text_of(const struct sqlval *v)
{
	return v->type == SQLVAL_BYTES ? v->s : SPAN_EMPTY;
}

static void take_account(struct snapshot_maker *m,
			 const struct policydata_row *row)
{
	struct account_columns c = {
		.name = text_of(&row->text[0]),
		.relay = text_of(&row->text[1]),
		.relay_to = text_of(&row->text[2]),
		.has_relay_to = row->text[2].type != SQLVAL_NULL,
		.accept_from = text_of(&row->text[3]),
	};

	for (size_t i = 0; i < ACCOUNT_NUMBERS; i++)
		if (row->number[i].type == SQLVAL_U64)
			c.number[i] = &row->number[i].u;
	snapshot_make_account(m, &c);
}

static void take_limit(struct snapshot_maker *m,
		       const struct policydata_row *row)
{
	const struct sqlval *n = row->number;
	struct limit_row l = {
		.seconds = (uint32_t)n[0].u,
		.has_messages = n[1].type != SQLVAL_NULL,
		.has_recipients = n[2].type != SQLVAL_NULL,
		.has_octets = n[3].type != SQLVAL_NULL,
		.messages = n[1].u,
		.recipients = n[2].u,
		.octets = n[3].u,
	};

	snapshot_make_limit(m, text_of(&row->text[0]), text_of(&row->text[1]),
			    &l);
}

static void take_row(void *arg, const struct policydata_row *row)
{
	struct reading *r = arg;
	struct span a = text_of(&row->text[0]), b = text_of(&row->text[1]);

	switch (row->table) {
	case POLICYDATA_GENERATION:
		r->generation = row->number[0].u;
		break;
	case POLICYDATA_NETWORK:
		snapshot_make_network(&r->m, a, b);
		break;
	case POLICYDATA_MODE:
		snapshot_make_mode(&r->m, a, b, text_of(&row->text[2]));
		break;
	case POLICYDATA_ACCOUNT:
		take_account(&r->m, row);
		break;
	case POLICYDATA_RULE:
		snapshot_make_rule(&r->m, a, b, text_of(&row->text[2]));
		break;
	case POLICYDATA_GRANT:
		snapshot_make_grant(&r->m, a, b);
		break;
	case POLICYDATA_LIMIT:
		take_limit(&r->m, row);
		break;
	}
}

static struct snapshot *finish(struct reading *r, struct buf *why)
{
	struct snapshot *s = snapshot_make_finish(&r->m, r->generation);

	buf_put_span(why, buf_span(&r->m.why));
	if (r->m.no_memory)
		buf_puts(why, "out of memory\n");
	else if (!s)
		buf_printf(why, "broken rows: %zu\n", r->m.broken);
	r->complete = !r->m.no_memory;
	return s;
}

static struct snapshot *read_all(struct db *db, bool fold_local,
				 struct reading *r, struct buf *why)
{
	uint8_t secret[SIPHASH_KEY_SIZE];
	struct snapshot *s = NULL;

	*r = (struct reading){ .complete = false };
	if (getrandom(secret, sizeof(secret), 0) != (ssize_t)sizeof(secret) ||
	    !snapshot_make_init(&r->m, secret, fold_local))
		buf_puts(why, "out of memory\n");
	else if (policydata_read(db, take_row, r) != DB_OK)
		buf_printf(why, "cannot read: %s\n", db_why(db));
	else
		s = finish(r, why);
	snapshot_make_release(&r->m);
	return s;
}

struct snapshot *refresh_read(struct db *db, bool fold_local, struct buf *why)
{
	struct reading r;

	return read_all(db, fold_local, &r, why);
}

/* The thread. */

struct refresh {
	struct policy_data *data;
	struct settings *settings; /* under which it was read */
	bool any;                  /* a snapshot is in force */
	bool complete;             /* it was, broken or not ... */
	uint64_t generation;       /* ... as of this */
	int64_t next;              /* not again before */
	int64_t anyway;            /* again by then */
	struct buf told;           /* what the log has of it */
};

/* Each thing is told once, as long as it stays as it is. */
static void tell(struct refresh *r, struct span lines)
{
	struct span line, rest = lines;

	if (span_eq(lines, buf_span(&r->told)))
		return;
	buf_reset(&r->told);
	buf_put_span(&r->told, lines);
	while (rest.n > 0) {
		(void)span_cut(rest, '\n', &line, &rest);
		log_warn("policy: %.*s", (int)line.n, line.p);
	}
}

static void tell_failure(struct refresh *r, struct buf *why)
{
	buf_puts(why, r->any ? "what was read before stays in force\n"
			     : "nothing is in force yet: mail is deferred\n");
	tell(r, buf_span(why));
}

static void tell_success(const struct snapshot *s)
{
	struct snapshot_size n = snapshot_size(s);

	log_info("policy: generation %" PRIu64
		 " in force: %zu networks, %zu modes, %zu accounts, %zu rules, "
		 "%zu grants, %zu limits",
		 snapshot_generation(s), n.networks, n.modes, n.accounts,
		 n.rules, n.grants, n.limits);
}

static void take_all(struct refresh *r, struct db *db)
{
	struct buf why = BUF_INIT(2 * SNAPSHOT_WHY_MAX);
	int64_t begun = clock_ms(), ended;
	struct reading reading;
	struct snapshot *s;

	s = read_all(db, r->settings->conf->fold_local_part, &reading, &why);
	ended = clock_ms();
	r->next = ended + REST * (ended - begun);
	r->anyway = ended + READ_ANYWAY_MS;
	if (s) {
		if (!r->complete || r->generation != reading.generation)
			tell_success(s);
		r->any = true;
		policy_data_swap(r->data, s);
		tell(r, buf_span(&why));
	} else {
		tell_failure(r, &why);
	}
	if (reading.complete)
		metric_set(M_POLICY_BROKEN, reading.m.broken);
	r->complete = reading.complete;
	r->generation = reading.generation;
	buf_release(&why);
}

static void look(struct refresh *r, struct db *db)
{
	struct buf why = BUF_INIT(SNAPSHOT_WHY_MAX);
	uint64_t generation;
	int64_t now = clock_ms();

	if (policydata_generation(db, &generation) != DB_OK) {
		buf_printf(&why, "cannot read: %s\n", db_why(db));
		tell_failure(r, &why);
	} else if (!r->complete || now >= r->anyway ||
		   (generation != r->generation && now >= r->next)) {
		take_all(r, db);
	}
	buf_release(&why);
}

/* Other settings may mean another database. */
static void follow_settings(struct refresh *r)
{
	struct settings *s = settings_get();

	if (s != r->settings)
		r->complete = false;
	if (r->settings)
		settings_put(&r->settings);
	r->settings = s;
}

static void *refresh_run(void *arg)
{
	struct refresh r = { .data = arg,
			     .told = BUF_INIT(2 * SNAPSHOT_WHY_MAX) };

	for (;;) {
		struct pool *pool;
		struct db *db;

		follow_settings(&r);
		pool = r.settings->judge.store;
		db = pool_get(pool,
			      deadline_in(r.settings->conf->lookup_timeout));
		if (db) {
			look(&r, db);
			pool_put(pool, &db);
		}
		policy_data_tried(r.data);
		(void)poll(NULL, 0, LOOK_MS);
	}
	return NULL;
}

bool refresh_start(struct policy_data *p)
{
	pthread_t thread;

	(void)clock_gettime(CLOCK_MONOTONIC, &p->until);
	p->until.tv_sec += FIRST_S;
	p->tried = false;
	if (pthread_create(&thread, NULL, refresh_run, p) == 0)
		return pthread_detach(thread) == 0;
	p->tried = true;
	return false;
}
