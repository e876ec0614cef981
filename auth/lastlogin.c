#include "auth/lastlogin.h"

#include "lib/fault.h"
#include "lib/log.h"

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

static int entry_compare(const struct addr *a, const struct addr *b)
{
	size_t n = a->n < b->n ? a->n : b->n;
	int d = memcmp(a->text, b->text, n);

	return d ? d : (a->n > b->n) - (a->n < b->n);
}

/* Where this mailbox stands or belongs. */
static size_t entry_find(const struct lastlogin *l, const struct addr *mailbox,
			 bool *there_r)
{
	size_t low = 0, high = l->n;

	*there_r = false;
	while (low < high && !*there_r) {
		size_t middle = low + (high - low) / 2;
		int d = entry_compare(&l->entry[middle]->mailbox, mailbox);

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

static struct lastlogin_entry *entry_new(const struct addr *mailbox)
{
	struct lastlogin_entry *e = calloc(1, sizeof(*e));

	if (e)
		e->mailbox = *mailbox;
	return e;
}

void lastlogin_note(struct lastlogin *l, const struct attempt *a, int64_t now)
{
	const struct addr *mailbox = &a->result.mailbox;
	struct lastlogin_entry *e;
	bool there;
	size_t at = entry_find(l, mailbox, &there);

	e = there ? l->entry[at] : entry_new(mailbox);
	if (!e || (!there && !entry_insert(l, at, e))) {
		l->lost++;
		free(e);
		return;
	}
	e->at = now;
	e->door = a->door;
	e->client[0] = '\0';
	if (a->has_rip)
		(void)ipaddr_text(&a->rip, e->client);
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
	size_t at = entry_find(l, &e->mailbox, &there);

	if (there) {
		free(e); /* a newer login is there */
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

static enum db_result entry_write(struct db *db,
				  const struct lastlogin_entry *e)
{
	const struct sqlval param[] = {
		sql_u64((uint64_t)e->at),
		sql_bytes(span_of(e->door == DOOR_SMTP ? "smtp" : "pop3")),
		sql_bytes(span_of(e->client)),
		sql_bytes(addr_span(&e->mailbox)),
	};

	return db_run(db, Q_LAST_LOGIN_PUT, param);
}

/* One transaction, from entry b->written on. */
static enum db_result batch_write_some(struct db *db, struct lastlogin_batch *b)
{
	size_t end = b->n - b->written < ROWS_A_TRANSACTION
			     ? b->n
			     : b->written + ROWS_A_TRANSACTION;
	enum db_result r = db_begin(db);

	for (size_t i = b->written; i < end && r == DB_OK; i++)
		r = entry_write(db, b->entry[i]);
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

void lastlogin_write(struct db *db, struct lastlogin_batch *b)
{
	unsigned failures = 0;
	enum db_result r;

	/* one failure may be that of a connection long dead */
	while (b->written < b->n && failures < 2) {
		r = batch_write_some(db, b);
		if (r == DB_OK)
			continue;
		if (++failures == 2)
			log_warn("cannot record last logins: %s: %s",
				 db_result_text(r), db_why(db));
		db_rollback(db);
	}
}
