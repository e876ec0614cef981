#include "auth/lastlogin.h"

#include "lib/fault.h"
#include "lib/log.h"
#include "sql/apppass.h"
#include "sql/history.h"

enum { ROWS_A_TRANSACTION = 200 };

void lastlogin_init(struct lastlogin *l)
{
	memset(l, 0, sizeof(*l));
}

static void entries_free(struct lastlogin_entry ***entry, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free((*entry)[i]);
	free(*entry);
	*entry = NULL;
}

void lastlogin_release(struct lastlogin *l)
{
	entries_free(&l->entry, l->n);
	lastlogin_init(l);
}

static int span_compare(struct span a, struct span b)
{
	int d = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return d ? d : (a.n > b.n) - (a.n < b.n);
}

static int entry_compare(const struct lastlogin_entry *a,
			 const struct lastlogin_entry *b)
{
	int d = span_compare(addr_span(&a->login), addr_span(&b->login));

	if (d == 0)
		d = strcmp(a->network, b->network);
	if (d == 0)
		d = (int)a->door - (int)b->door;
	return d ? d
		 : (a->app_password > b->app_password) -
			       (a->app_password < b->app_password);
}

/* Where such an entry stands or belongs. */
static size_t entry_find(const struct lastlogin *l,
			 const struct lastlogin_entry *like, bool *there_r)
{
	size_t low = 0, high = l->n;

	*there_r = false;
	while (low < high && !*there_r) {
		size_t middle = low + (high - low) / 2;
		int d = entry_compare(l->entry[middle], like);

		if (d < 0)
			low = middle + 1;
		else
			high = middle;
		*there_r = d == 0;
	}
	return high;
}

static bool entry_insert(struct lastlogin *l, size_t at,
			 struct lastlogin_entry *e)
{
	if (l->n == LASTLOGIN_MAX)
		return false;
	if (!l->entry) {
		l->entry = malloc(LASTLOGIN_MAX *
				  sizeof(struct lastlogin_entry *));
		if (!l->entry)
			return false;
	}
	memmove(l->entry + at + 1, l->entry + at,
		(l->n - at) * sizeof(struct lastlogin_entry *));
	l->entry[at] = e;
	l->n++;
	return true;
}

static void entry_fill(struct lastlogin_entry *e, const struct attempt *a,
		       int64_t now)
{
	struct buf text = BUF_INIT(LASTLOGIN_NETWORK_MAX);
	struct network around;

	*e = (struct lastlogin_entry){ .door = a->door,
				       .app_password = a->result.app_password,
				       .login = a->result.user,
				       .first_at = now,
				       .at = now,
				       .logins = 1,
				       .mailbox = a->result.mailbox };
	if (!a->has_rip)
		return;
	(void)ipaddr_text(&a->rip, e->client);
	network_around(&a->rip, &around);
	network_put(&text, &around);
	(void)snprintf(e->network, sizeof(e->network), "%s", buf_cstr(&text));
	buf_release(&text);
}

/* The same logins, some earlier or later. */
static void entry_join(struct lastlogin_entry *e,
		       const struct lastlogin_entry *other)
{
	e->logins += other->logins;
	if (other->first_at < e->first_at)
		e->first_at = other->first_at;
	if (other->at < e->at)
		return;
	e->at = other->at;
	e->mailbox = other->mailbox;
	memcpy(e->client, other->client, sizeof(e->client));
}

void lastlogin_note(struct lastlogin *l, const struct attempt *a, int64_t now)
{
	struct lastlogin_entry is, *e;
	bool there;
	size_t at;

	entry_fill(&is, a, now);
	at = entry_find(l, &is, &there);
	if (there) {
		entry_join(l->entry[at], &is);
		return;
	}
	e = malloc(sizeof(*e));
	if (!e || !entry_insert(l, at, e)) {
		l->lost++;
		free(e);
		return;
	}
	*e = is;
}

struct lastlogin_batch *lastlogin_take(struct lastlogin *l)
{
	struct lastlogin_batch *b;

	if (l->lost)
		log_warn("%lu last logins were not recorded", l->lost);
	l->lost = 0;
	if (l->n == 0)
		return NULL;
	b = calloc(1, sizeof(*b));
	if (!b)
		return NULL;
	b->job.kind = JOB_LASTLOGIN;
	b->entry = l->entry;
	b->n = l->n;
	lastlogin_init(l);
	return b;
}

static void entry_return(struct lastlogin *l, struct lastlogin_entry *e)
{
	bool there;
	size_t at = entry_find(l, e, &there);

	if (there) {
		entry_join(l->entry[at], e);
		free(e);
	} else if (!entry_insert(l, at, e)) {
		l->lost++;
		free(e);
	}
}

void lastlogin_return(struct lastlogin *l, struct lastlogin_batch **b)
{
	for (size_t i = 0; i < (*b)->n; i++) {
		if (i < (*b)->written)
			free((*b)->entry[i]);
		else
			entry_return(l, (*b)->entry[i]);
	}
	free((*b)->entry);
	free(*b);
	*b = NULL;
}

static struct span door_name(enum door door)
{
	return door == DOOR_SMTP ? SPAN_LIT("smtp") : SPAN_LIT("pop3");
}

static enum db_result last_write(struct db *db, const struct lastlogin_entry *e)
{
	const struct sqlval param[] = {
		sql_u64((uint64_t)e->at),
		sql_bytes(door_name(e->door)),
		sql_bytes(span_of(e->client)),
		sql_bytes(addr_span(&e->mailbox)),
	};

	return db_run(db, Q_LAST_LOGIN_PUT, param);
}

static enum db_result history_write(struct db *db,
				    const struct lastlogin_entry *e)
{
	const struct history_login h = { .login = &e->login,
					 .network = span_of(e->network),
					 .door = door_name(e->door),
					 .first_at = e->first_at,
					 .last_at = e->at,
					 .logins = e->logins };

	return history_put(db, &h);
}

static enum db_result entry_write(struct db *db,
				  const struct lastlogin_entry *e, bool history)
{
	enum db_result r = last_write(db, e);

	if (r == DB_OK && history)
		r = history_write(db, e);
	if (r == DB_OK && e->app_password)
		r = apppass_used(db, e->app_password, e->at,
				 span_of(e->client));
	return r;
}

/* One transaction, from entry b->written on. */
static enum db_result batch_write_some(struct db *db, struct lastlogin_batch *b,
				       int64_t history_ms)
{
	size_t end = b->n - b->written < ROWS_A_TRANSACTION
			     ? b->n
			     : b->written + ROWS_A_TRANSACTION;
	enum db_result r = db_begin(db);

	for (size_t i = b->written; i < end && r == DB_OK; i++)
		r = entry_write(db, b->entry[i], history_ms > 0);
	if (r == DB_OK && history_ms > 0)
		r = history_age(db, history_ms / 1000);
	if (r == DB_OK && FAULT(LASTLOGIN_COMMIT)) {
		db_close(db);
		r = DB_DOWN;
	}
	if (r == DB_OK)
		r = db_commit(db, FAULT_LASTLOGIN_UNREAD);
	if (r == DB_OK)
		b->written = end;
	return r;
}

void lastlogin_write(struct db *db, struct lastlogin_batch *b,
		     int64_t history_ms)
{
	unsigned failures = 0;
	enum db_result r;

	/* one failure may be that of a connection long dead */
	while (b->written < b->n && failures < 2) {
		r = batch_write_some(db, b, history_ms);
		if (r == DB_OK)
			continue;
		if (++failures == 2)
			log_warn("cannot record last logins: %s: %s",
				 db_result_text(r), db_why(db));
		db_rollback(db);
	}
}
