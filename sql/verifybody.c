/* sql/verifybody.c: the chunks of one body. POP3 finds an octet by its chunk's
 * number, so every chunk but the last has the same length. */
#include <inttypes.h>
#include <stdio.h>

#include <openssl/evp.h>

#include "sql/deliver.h"
#include "sql/verifyint.h"

enum { PAGE = 16 /* LIMIT of Q_VERIFY_CHUNKS: 4 MiB */ };

struct reading {
	struct verify *v;
	const struct verify_body *b;
	uint64_t seq, octets; /* the next chunk, and what came before it */
	char *why;
	bool failed; /* the digest */
};

static void chunk(struct reading *g, const struct sqlval *col)
{
	uint64_t left = g->b->octets - g->octets;
	uint64_t want = left < DELIVER_CHUNK ? left : DELIVER_CHUNK;
	uint64_t n = g->v->s->deep ? col[1].s.n : col[1].u;

	if (want == 0)
		snprintf(g->why, VERIFY_WHY_MAX,
			 "chunk %" PRIu64 " is beyond its %" PRIu64 " octets",
			 col[0].u, g->b->octets);
	else if (col[0].u != g->seq)
		snprintf(g->why, VERIFY_WHY_MAX, "chunk %" PRIu64 " is missing",
			 g->seq);
	else if (n != want)
		snprintf(g->why, VERIFY_WHY_MAX,
			 "chunk %" PRIu64 " has %" PRIu64
			 " octets, not %" PRIu64,
			 g->seq, n, want);
	else if (g->v->s->deep &&
		 EVP_DigestUpdate(g->v->digest, col[1].s.p, n) != 1)
		g->failed = true;
	g->octets += n;
	g->seq++;
}

/* *more_r: the page was full. */
static enum db_result page(struct reading *g, bool *more_r)
{
	enum query_id q = g->v->s->deep ? Q_VERIFY_CHUNKS : Q_VERIFY_LENGTHS;
	const struct sqlval param[] = { sql_bytes(purge_id_span(g->b->id)),
					sql_u64(g->seq) };
	enum db_result r = db_run(g->v->db, q, param);
	struct sqlval col[2];
	unsigned n = 0;
	bool got = true;

	while (r == DB_OK && !g->why[0] && n < PAGE) {
		r = db_fetch(g->v->db, q, col, &got);
		if (r != DB_OK || !got)
			break;
		n++;
		chunk(g, col);
	}
	db_done(g->v->db, q);
	*more_r = n == PAGE && !g->why[0];
	verify_progress(g->v);
	return r;
}

static void end(struct reading *g)
{
	if (g->why[0] || g->octets == g->b->octets)
		return;
	if (g->octets == 0)
		snprintf(g->why, VERIFY_WHY_MAX,
			 "no chunk is there of its %" PRIu64 " octets",
			 g->b->octets);
	else
		snprintf(g->why, VERIFY_WHY_MAX,
			 "it ends after %" PRIu64 " of %" PRIu64 " octets",
			 g->octets, g->b->octets);
}

static bool digest_fits(struct reading *g)
{
	uint8_t md[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	return !g->failed && EVP_DigestFinal_ex(g->v->digest, md, &n) == 1 &&
	       n == sizeof(g->b->sha256) && memcmp(md, g->b->sha256, n) == 0;
}

enum db_result verifybody_read(struct verify *v, const struct verify_body *b,
			       enum verify_kind *kind_r,
			       char why[VERIFY_WHY_MAX])
{
	struct reading g = { .v = v, .b = b, .why = why };
	enum db_result r = DB_OK;
	bool more = true;

	why[0] = '\0';
	*kind_r = VERIFY_CHUNKS;
	if (v->s->deep && EVP_DigestInit_ex(v->digest, EVP_sha256(), NULL) != 1)
		return DB_DOWN;
	while (r == DB_OK && more)
		r = page(&g, &more);
	if (r != DB_OK)
		return r;
	end(&g);
	v->r.octets += g.octets;
	if (!why[0] && v->s->deep && !digest_fits(&g)) {
		*kind_r = VERIFY_SHA256;
		snprintf(why, VERIFY_WHY_MAX,
			 "its octets do not have the SHA-256 they came with");
	}
	return r;
}
