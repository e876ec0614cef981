/* lib/receipt.h: the key by which a retry of an accepted mail is recognised:
 * 128 bits of SHA-256 over the Received lines (without those whose by-host is
 * ours), Message-ID, Date, the Resent- lines, and the body with normalised
 * line ends. No envelope sender: canonical maps and SRS change it between the
 * ways in. A Message-ID that the MTA made (it contains our queue id, or that of
 * a Received line of ours), and the Date beside it, count as absent.
 * Not so the Resent- lines that the MTA made: without them a mail that is
 * resent once more would be taken for its first copy.
 * A mail with nothing of its own that comes from the queue of an MTA of ours
 * has the Received line of that queue for its identity: one mail of the queue,
 * and all the tries to deliver it. */
#ifndef MAILROW_LIB_RECEIPT_H
#define MAILROW_LIB_RECEIPT_H

#include "lib/span.h"

enum { RECEIPT_KEY_SIZE = 16 };

struct receipt;

/* own_host(arg, by-host) says whether a by-host is ours. NULL: no memory. */
struct receipt *receipt_new(bool (*own_host)(void *arg, struct span host),
			    void *arg);
void receipt_free(struct receipt **r);
void receipt_header(struct receipt *r, struct span name, struct span value);
void receipt_body(struct receipt *r, struct span piece);

/* The id of the first Received line if that is of an MTA of ours: under it the
 * mail lies in its queue. Empty: not known. Valid until receipt_free(). */
struct span receipt_queue_id(const struct receipt *r);

/* When it came into that queue, by the same line; 0: not known. */
int64_t receipt_queue_time(const struct receipt *r);

/* False: this mail has neither a Message-ID of its own nor a foreign Received
 * line, nor comes from a queue, and is never taken for a duplicate. queue_id
 * may be empty. */
bool receipt_finish(struct receipt *r, struct span queue_id,
		    uint8_t key_r[RECEIPT_KEY_SIZE])
	__attribute__((warn_unused_result));

#endif
