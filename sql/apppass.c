/* sql/apppass.c: see apppass.h. */
#include "sql/apppass.h"

#include <stdio.h>

static bool copy(struct span s, char *to, size_t size)
{
	if (s.n >= size)
		return false;
	memcpy(to, s.p, s.n);
	to[s.n] = '\0';
	return true;
}

static struct span text_of(const struct sqlval *v)
{
	return v->type == SQLVAL_BYTES ? v->s : SPAN_EMPTY;
}

enum fact apppass_find(struct db *db, const uint8_t hash[APPPASS_HASH_SIZE],
		       struct apppass *a_r)
{
	const struct sqlval param[] = { sql_bytes(
		span_make(hash, APPPASS_HASH_SIZE)) };
	struct sqlval col[7];
	bool got;

	if (db_one(db, Q_APP_FIND, param, col, &got) != DB_OK)
		return F_TEMP;
	if (!got)
		return F_NO;
	a_r->id = col[0].u;
	a_r->bound = col[2].type == SQLVAL_BYTES;
	a_r->smtp = col[3].u != 0;
	a_r->pop3 = col[4].u != 0;
	a_r->expired = col[6].u != 0;
	return copy(text_of(&col[1]), a_r->login, sizeof(a_r->login)) &&
			       copy(text_of(&col[2]), a_r->incarnation,
				    sizeof(a_r->incarnation)) &&
			       copy(text_of(&col[5]), a_r->networks,
				    sizeof(a_r->networks))
		       ? F_YES
		       : F_TEMP;
}

enum db_result apppass_used(struct db *db, uint64_t id, int64_t at,
			    struct span from)
{
	const struct sqlval param[] = { sql_u64((uint64_t)at), sql_bytes(from),
					sql_u64(id), sql_u64((uint64_t)at) };

	return db_run(db, Q_APP_USED, param);
}

enum native_result apppass_add(struct db *db, const struct apppass_new *n,
			       const uint8_t hash[APPPASS_HASH_SIZE])
{
	const struct sqlval param[] = {
		sql_bytes(n->login),
		sql_bytes(n->label),
		sql_bytes(span_make(hash, APPPASS_HASH_SIZE)),
		n->incarnation ? sql_bytes(span_of(n->incarnation))
			       : sql_null(),
		sql_u64(n->smtp),
		sql_u64(n->pop3),
		sql_bytes(n->networks),
		sql_u64(n->seconds),
		sql_u64(n->seconds),
	};

	switch (db_run(db, Q_APP_ADD, param)) {
	case DB_OK:
		return NATIVE_OK;
	case DB_DUP:
		return NATIVE_EXISTS;
	case DB_RETRY:
	case DB_DOWN:
	case DB_OURS:
		break;
	}
	return NATIVE_FAILED;
}

enum native_result apppass_list(struct db *db, struct span login,
				native_row row, void *arg)
{
	const struct sqlval param[] = { sql_bytes(login) };

	return native_list(db, Q_APP_LIST, param, row, arg);
}

enum native_result apppass_revoke(struct db *db, struct span login,
				  struct span label)
{
	const struct sqlval param[] = { sql_bytes(login), sql_bytes(label) };

	if (db_run(db, label.n > 0 ? Q_APP_REVOKE : Q_APP_REVOKE_ALL, param) !=
	    DB_OK)
		return NATIVE_FAILED;
	return label.n == 0 || db_affected(db) > 0 ? NATIVE_OK : NATIVE_NONE;
}
