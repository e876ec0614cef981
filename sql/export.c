/* sql/export.c: see export.h. */
#include "sql/export.h"

#include <openssl/evp.h>

#include "lib/uidl.h"

enum { SHA256_SIZE = 32 };

struct reading {
	struct db *db;
	const struct export_sink *sink;
	struct export_mail m;
	uint8_t id[CONTENT_ID_SIZE];
	uint8_t sha256[SHA256_SIZE];
	uint64_t content_octets;
	EVP_MD_CTX *digest;
	bool whole;   /* nothing is missing so far */
	bool stopped; /* by the sink */
};

static void give(struct reading *r, struct span piece)
{
	if (piece.n > 0 && !r->sink->data(r->sink->arg, piece))
		r->stopped = true;
}

/* One chunk; *n_r = 0: it is not there. */
static enum db_result give_chunk(struct reading *r, uint64_t seq, uint64_t *n_r)
{
	const struct sqlval param[] = {
		sql_bytes(span_make(r->id, sizeof(r->id))), sql_u64(seq)
	};
	struct sqlval col[1];
	enum db_result result;
	bool got;

	*n_r = 0;
	result = db_one(r->db, Q_EXPORT_CHUNK, param, col, &got);
	if (result != DB_OK || !got || col[0].type != SQLVAL_BYTES)
		return result;
	*n_r = col[0].s.n;
	if (EVP_DigestUpdate(r->digest, col[0].s.p, col[0].s.n) != 1)
		r->whole = false;
	give(r, col[0].s);
	return DB_OK;
}

static enum db_result give_content(struct reading *r)
{
	enum db_result result = DB_OK;
	uint64_t seen = 0, n = 1;

	for (uint64_t seq = 0; seen < r->content_octets && !r->stopped; seq++) {
		result = give_chunk(r, seq, &n);
		if (result != DB_OK || n == 0)
			break;
		seen += n;
	}
	r->whole = r->whole && seen == r->content_octets;
	return result;
}

static bool digest_fits(struct reading *r)
{
	uint8_t md[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	return EVP_DigestFinal_ex(r->digest, md, &n) == 1 && n == SHA256_SIZE &&
	       memcmp(md, r->sha256, SHA256_SIZE) == 0;
}

/* Keeps what is needed beyond the row. False: the rows do not fit. */
static bool take(struct reading *r, const struct sqlval *col)
{
	struct span trace = col[3].s;

	r->m = (struct export_mail){ .uid = col[0].u,
				     .octets = col[2].u,
				     .received_at = (int64_t)col[5].u,
				     .sender = col[4].s };
	r->content_octets = col[7].u;
	if (col[1].s.n != sizeof(r->id) || col[6].s.n != sizeof(r->sha256) ||
	    r->m.octets != trace.n + r->content_octets)
		return false;
	memcpy(r->id, col[1].s.p, sizeof(r->id));
	memcpy(r->sha256, col[6].s.p, sizeof(r->sha256));
	return true;
}

static enum db_result read_mail(struct reading *r, const struct sqlval *col)
{
	enum db_result result = DB_OK;

	r->whole = take(r, col) &&
		   EVP_DigestInit_ex(r->digest, EVP_sha256(), NULL) == 1;
	if (!r->sink->begin(r->sink->arg, &r->m)) {
		r->stopped = true;
		return DB_OK;
	}
	give(r, col[3].s);
	if (r->whole)
		result = give_content(r);
	if (result != DB_OK || r->stopped)
		return result;
	if (!r->sink->end(r->sink->arg, &r->m, r->whole && digest_fits(r)))
		r->stopped = true;
	return DB_OK;
}

enum db_result export_box(struct db *db, uint64_t mailbox_id, bool trash,
			  const struct export_sink *sink)
{
	enum query_id q = trash ? Q_EXPORT_TRASH : Q_EXPORT_MAIL;
	struct reading r = { .db = db, .sink = sink };
	enum db_result result = DB_OK;
	struct sqlval col[8];
	bool got = true;

	r.digest = EVP_MD_CTX_new();
	if (!r.digest)
		return DB_DOWN;
	while (result == DB_OK && got && !r.stopped) {
		const struct sqlval param[] = { sql_u64(mailbox_id),
						sql_u64(r.m.uid) };

		result = db_one(db, q, param, col, &got);
		if (result == DB_OK && got)
			result = read_mail(&r, col);
	}
	EVP_MD_CTX_free(r.digest);
	return result;
}
