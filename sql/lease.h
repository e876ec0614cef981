/* sql/lease.h: the lease by which one session has a mailbox for itself
 * (pop3_exclusive): a row of the table lease. It is safe on a cluster, where no
 * lock of a row reaches another node: whoever has it changes the row in the
 * transaction that deletes, so that of two only one commits. The clock frees
 * what a dead host held; it never decides who may delete. */
#ifndef MAILROW_SQL_LEASE_H
#define MAILROW_SQL_LEASE_H

#include "sql/db.h"

enum { LEASE_HOLDER_MAX = 255, LEASE_KEEPER_SIZE = 16, LEASE_SECONDS = 60 };

/* A keeper: the service it belongs to on its host, which no other host has, and
 * its own number. */
struct lease_owner {
	char holder[LEASE_HOLDER_MAX + 1];
	uint8_t keeper[LEASE_KEEPER_SIZE];
};

struct lease {
	uint64_t mailbox_id;
	uint64_t fence; /* grows with each taking; 0: none */
	uint64_t claim; /* which taking of its keeper */
};

/* Takes it when it is free, expired, of a keeper before this one of the same
 * holder, or taken by l->claim before; a claim of 0 becomes a new one.
 * l->fence = 0: another has it; in a failure it may be taken all the same, and
 * lease_end() gives it back. */
enum db_result lease_take(struct db *db, const struct lease_owner *o,
			  uint64_t mailbox_id, struct lease *l)
	__attribute__((warn_unused_result));

/* Prolongs them, ascending by mailbox; the fence of one that is lost becomes
 * 0. Those without a fence are passed over. */
enum db_result lease_renew(struct db *db, const struct lease_owner *o,
			   struct lease *l, size_t n)
	__attribute__((warn_unused_result));

/* Gives it back; in a transaction it is what the transaction stands or falls
 * with. *held_r: it was still ours. */
enum db_result lease_end(struct db *db, const struct lease_owner *o,
			 const struct lease *l, bool *held_r)
	__attribute__((warn_unused_result));

/* Whether it was given back by lease_end(), and nobody took it since. */
enum db_result lease_is_ended(struct db *db, const struct lease *l, bool *is_r)
	__attribute__((warn_unused_result));

/* Frees what earlier keepers of the same holder left behind. */
enum db_result lease_inherit(struct db *db, const struct lease_owner *o)
	__attribute__((warn_unused_result));

#endif
