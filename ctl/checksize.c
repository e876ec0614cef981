/* ctl/checksize.c: does the largest piece we send fit the server? A body goes
 * in pieces of 256 KiB and, beyond upload_threshold, in small transactions, so
 * that neither wall grows with the mail. */
#include "ctl/check.h"

#include <inttypes.h>
#include <stdio.h>

enum { PACKET_MIN = 1 << 20, BATCH = 1 << 20 };

struct sizes {
	uint64_t packet, log_file, log_files, capacity;
};

static void take(struct sizes *z, struct span name, struct span value)
{
	uint64_t n;

	if (!span_u64(value, &n))
		return;
	if (span_is(name, "max_allowed_packet"))
		z->packet = n;
	else if (span_is(name, "innodb_log_file_size"))
		z->log_file = n;
	else if (span_is(name, "innodb_log_files_in_group"))
		z->log_files = n;
	else if (span_is(name, "innodb_redo_log_capacity"))
		z->capacity = n;
}

static bool read_sizes(struct db *db, struct sizes *z)
{
	struct sqlval col[2];
	enum db_result r;
	bool got = true;

	*z = (struct sizes){ .log_files = 1 };
	r = db_run(db, Q_SIZES, NULL);
	while (r == DB_OK && got) {
		r = db_fetch(db, Q_SIZES, col, &got);
		if (r == DB_OK && got && col[1].type == SQLVAL_BYTES)
			take(z, col[0].s, col[1].s);
	}
	return r == DB_OK;
}

static void test_packet(struct check *k, const struct sizes *z)
{
	if (z->packet < PACKET_MIN)
		check_say(k, CHECK_FAIL, "sizes",
			  "mariadb -e 'SET GLOBAL max_allowed_packet = "
			  "16777216'",
			  "max_allowed_packet is %" PRIu64
			  ": a piece of a mail needs up to %d",
			  z->packet, PACKET_MIN);
}

/* InnoDB rejects BLOBs of more than a tenth of the log in one transaction. */
static void test_redo(struct check *k, const struct sizes *z)
{
	uint64_t largest = check_tool(k)->conf->upload_threshold;
	uint64_t redo = z->capacity ? z->capacity : z->log_file * z->log_files;
	uint64_t want = 96 << 20;
	char fix[CHECK_FIX_MAX];

	if (largest < BATCH)
		largest = BATCH;
	if (redo >= 10 * largest)
		return;
	while (want < 10 * largest)
		want *= 2;
	snprintf(fix, sizeof(fix), "mariadb -e 'SET GLOBAL %s = %" PRIu64 "'",
		 z->capacity ? "innodb_redo_log_capacity"
			     : "innodb_log_file_size",
		 want);
	check_say(k, CHECK_FAIL, "sizes", fix,
		  "the redo log holds %" PRIu64 ": a transaction of %" PRIu64
		  " (upload_threshold) needs ten times its size",
		  redo, largest);
}

void checksize_run(struct check *k)
{
	struct db *db = check_tool(k)->db;
	struct sizes z;

	if (!db || !read_sizes(db, &z))
		return;
	test_packet(k, &z);
	test_redo(k, &z);
	if (z.packet >= PACKET_MIN)
		check_say(k, CHECK_OK, "sizes", "",
			  "max_allowed_packet is %" PRIu64
			  "; mail goes in smaller pieces",
			  z.packet);
}
