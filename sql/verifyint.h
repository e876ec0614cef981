/* sql/verifyint.h: the inside of the check, for verify*.c. */
#ifndef MAILROW_SQL_VERIFYINT_H
#define MAILROW_SQL_VERIFYINT_H

#include "sql/purgeint.h"
#include "sql/verify.h"

enum { VERIFY_WINDOW = 1000 /* LIMIT of the walks in queries.def */ };

struct verify {
	struct db *db;
	const struct verify_settings *s;
	struct verify_report r;
	const char *step;
	struct purge *mender;                 /* NULL: nothing is changed */
	struct evp_md_ctx_st *digest;         /* with deep */
	uint64_t box;                         /* in hand */
	char address[320 + 1];                /* its */
	struct purge_id again[VERIFY_WINDOW]; /* to be looked at again */
	size_t nagain;
};

void verify_progress(struct verify *v);

/* Counts the finding and tells it, with this sentence. */
void verify_tell(struct verify *v, struct verify_finding f, const char *fmt,
		 ...) __attribute__((format(printf, 3, 4)));

/* verifybox.c: every mailbox, or those named. */
enum db_result verifybox_walk(struct verify *v)
	__attribute__((warn_unused_result));

/* verifycontent.c: one body; every body; chunks without one. */
enum db_result verifycontent_one(struct verify *v, const struct purge_id *id)
	__attribute__((warn_unused_result));
enum db_result verifycontent_walk(struct verify *v)
	__attribute__((warn_unused_result));
enum db_result verifycontent_orphans(struct verify *v)
	__attribute__((warn_unused_result));

/* verifybody.c: whether all chunks are there, of the right lengths, and with
 * deep of the right SHA-256, which is what fits_r takes. *why is empty when
 * all is well; VERIFY_CHUNKS or VERIFY_SHA256 in *kind_r otherwise. */
enum { VERIFY_WHY_MAX = 128 };
struct verify_body {
	const struct purge_id *id;
	uint64_t octets;
	uint8_t sha256[32];
};
enum db_result verifybody_read(struct verify *v, const struct verify_body *b,
			       enum verify_kind *kind_r,
			       char why[VERIFY_WHY_MAX])
	__attribute__((warn_unused_result));

#endif
