/* policy/intake.h: an accepted mail on its way into the store: for whom it is,
 * its trace headers, the transaction, and what is logged about it. The milter
 * and lmtpd bring their mails here. */
#ifndef MAILROW_POLICY_INTAKE_H
#define MAILROW_POLICY_INTAKE_H

#include "policy/judge.h"
#include "policy/settings.h"
#include "sql/content.h"

enum {
	INTAKE_RCPTS_MAX = 10000,
	INTAKE_TARGETS_MAX = 10000 /* of all recipients of a mail */
};

/* A recipient that was accepted, with the addresses it leads to. */
struct intake_rcpt {
	char *path; /* as the peer wrote it, with its <> */
	struct judged_rcpt judged;
};

/* A mailbox of the mail, once however many recipients lead to it. */
struct intake_box {
	uint64_t mailbox_id;
	const struct judged_target *target; /* the first that led to it */
	size_t rcpt;                        /* of that recipient */
	uint64_t uid; /* intake_store(): 0 = not stored now */
	bool duplicate;
	enum reply_id full; /* intake_full(): why it does not take the mail */
};

/* All zero is an empty one. */
struct intake {
	struct intake_rcpt *rcpt;
	size_t nrcpt, rcpt_size;
	size_t ntarget; /* of all of them */
	struct intake_box *box;
	size_t nbox, box_size;
};

/* What is known of the mail but its content; all spans may be empty. */
struct intake_facts {
	struct span sender; /* without <> */
	struct span helo, client_name, client_addr;
	struct span by;   /* the MTA's name, or ours */
	const char *with; /* trace_with() */
	struct span tls;  /* version and cipher */
	struct span queue_id;
	int64_t begun; /* clock_ms() at MAIL */
};

/* NULL: no such one. */
struct intake_box *intake_find_box(const struct intake *in,
				   uint64_t mailbox_id);

/* Remembers an accepted recipient, whose judgement is taken over. R_NONE, or
 * why it cannot be (then r is released). */
enum reply_id intake_add(struct intake *in, struct span path,
			 struct judged_rcpt *r);
void intake_reset(struct intake *in);

/* Stores the mail in the mailboxes of the recipients [first, first + n), in
 * one transaction, with what it is charged (m NULL: nothing). R_NONE:
 * committed, or stored before; the boxes tell. Never success without a commit.
 * Where none of them stores it now, and it goes to others, the charge is a
 * transaction of its own.
 * why: for the log, no data. The content must be finished (content_finish()).
 */
enum reply_id intake_store(struct intake *in, size_t first, size_t n,
			   const struct settings *s, struct content *c,
			   const struct intake_facts *f,
			   struct judge_message *m, struct buf *why)
	__attribute__((warn_unused_result));

/* The mail has so many octets: who of a list takes fewer is left out.
 * R_RCPT_SIZE: that is a recipient, or nobody is left of one. R_DELIVER_QUOTA:
 * one that is left to the MTA has no room for them, and would bounce them.
 * path_r: whose it is. */
enum reply_id intake_sizes(struct intake *in, uint64_t octets,
			   struct span *path_r)
	__attribute__((warn_unused_result));

/* Did intake_store() say so of a mailbox: it has no room, or has received what
 * it may? Others may still have the mail. */
bool intake_full(enum reply_id id);

/* After that: the path of the first recipient that leads nowhere but to such a
 * mailbox; empty: none does. */
struct span intake_full_path(const struct intake *in);

/* After that: is the mailbox only one of those that each of the recipients
 * [first, first + n) leads to? Then it is JUDGED_FULL there (LEFT_OUT, if it is
 * so for good), and the mail can be stored for the rest. False: somebody has
 * nobody else, and nothing is changed. */
bool intake_without_full(struct intake *in, size_t first, size_t n)
	__attribute__((warn_unused_result));

/* Recipients of which a mailbox is JUDGED_FULL are the MTA's. */
void intake_keep_full(struct intake *in);

#endif
