/* lib/receipt.c: see receipt.h.
 *
 * What is hashed, in this order, so that no two mails give the same octets:
 * a version line; a line "name:value" for each header that counts; an empty
 * line and the body; the lines of Message-ID and Date; the body's length.
 * Message-ID and Date come last because only the end tells the queue id. */
#include "lib/receipt.h"

#include <stdlib.h>

#include <openssl/evp.h>

#include "lib/buf.h"
#include "lib/header.h"
#include "lib/maildate.h"

enum {
	KEPT_MAX = 4096, /* of a Message-ID or Date */
	OWN_IDS = 4,     /* hops among our own MTAs */
	ID_MAX = 63
};

struct own_id {
	char text[ID_MAX];
	size_t n;
};

struct receipt {
	EVP_MD_CTX *hash;
	bool (*own_host)(void *arg, struct span host);
	void *arg;
	struct buf message_id; /* the first one, "message-id:<...>\n" */
	struct buf date;
	struct buf queue; /* the line of our MTA's queue, as above */
	int64_t queue_time;
	struct own_id own_id[OWN_IDS]; /* of the Received lines of ours */
	size_t own_n;
	bool own_first;  /* the first of them is the first of all */
	bool received;   /* a Received line was there */
	bool identified; /* by something that is not ours */
	bool in_body;
	char last; /* octet of the body */
	uint64_t body_octets;
	bool failed;
};

static void hash(struct receipt *r, const void *p, size_t n)
{
	if (!r->failed && n > 0 && EVP_DigestUpdate(r->hash, p, n) != 1)
		r->failed = true;
}

static void hash_span(struct receipt *r, struct span s)
{
	hash(r, s.p, s.n);
}

static bool receipt_start(struct receipt *r)
{
	r->hash = EVP_MD_CTX_new();
	if (r->hash == NULL ||
	    EVP_DigestInit_ex(r->hash, EVP_sha256(), NULL) != 1)
		return false;
	hash_span(r, SPAN_LIT("mailrow receipt 1\n"));
	return !r->failed;
}

struct receipt *receipt_new(bool (*own_host)(void *arg, struct span host),
			    void *arg)
{
	struct receipt *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->own_host = own_host;
	r->arg = arg;
	buf_init(&r->message_id, KEPT_MAX);
	buf_init(&r->date, KEPT_MAX);
	buf_init(&r->queue, KEPT_MAX);
	if (!receipt_start(r))
		receipt_free(&r);
	return r;
}

void receipt_free(struct receipt **r)
{
	if (*r == NULL)
		return;
	EVP_MD_CTX_free((*r)->hash);
	buf_release(&(*r)->message_id);
	buf_release(&(*r)->date);
	buf_release(&(*r)->queue);
	free(*r);
	*r = NULL;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Of all that a milter is not shown at the end of a value. */
static struct span trim(struct span s)
{
	while (s.n > 0 && is_blank(s.p[0]))
		s = span_skip(s, 1);
	while (s.n > 0 && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* Folding differs between the ways in: a run of blanks and line ends is one
 * blank, so that the line holds no LF but its own. */
static void put_line(struct buf *b, struct span name, struct span value)
{
	struct span s = trim(value);

	for (size_t i = 0; i < name.n; i++)
		buf_putc(b, lower(name.p[i]));
	buf_putc(b, ':');
	for (size_t i = 0; i < s.n; i++) {
		if (!is_blank(s.p[i]))
			buf_putc(b, s.p[i]);
		else if (!is_blank(s.p[i - 1]))
			buf_putc(b, ' ');
	}
	buf_putc(b, '\n');
}

static void hash_line(struct receipt *r, struct span name, struct span value)
{
	struct buf line = BUF_INIT(SIZE_MAX / 2);

	put_line(&line, name, value);
	if (!buf_ok(&line))
		r->failed = true;
	hash_span(r, buf_span(&line));
	buf_release(&line);
}

/* Keeps the line for the end if it is the first of its kind and of a sane
 * length; any other one counts where it stands. */
static bool keep_line(struct buf *kept, struct span name, struct span value)
{
	if (kept->n > 0 || name.n + value.n + 2 > KEPT_MAX)
		return false;
	put_line(kept, name, value);
	return true;
}

static bool is_own_received(const struct receipt *r, struct span value)
{
	struct span host = header_received_by(value);

	return host.n > 0 && r->own_host != NULL && r->own_host(r->arg, host);
}

/* The first line of all tells in which queue the mail lies. */
static void take_queue(struct receipt *r, struct span name, struct span value)
{
	r->own_first = true;
	(void)keep_line(&r->queue, name, value);
	if (!maildate_parse(header_received_date(value), &r->queue_time))
		r->queue_time = 0;
}

/* Of our own lines only the queue is of interest. */
static void take_received(struct receipt *r, struct span name,
			  struct span value)
{
	struct span id = header_received_id(value);
	bool first = !r->received;

	r->received = true;
	if (!is_own_received(r, value)) {
		r->identified = true;
		hash_line(r, name, value);
		return;
	}
	if (id.n == 0 || id.n > ID_MAX || r->own_n == OWN_IDS)
		return;
	if (first)
		take_queue(r, name, value);
	memcpy(r->own_id[r->own_n].text, id.p, id.n);
	r->own_id[r->own_n++].n = id.n;
}

void receipt_header(struct receipt *r, struct span name, struct span value)
{
	name = span_trim(name);
	if (span_eq_nocase(name, SPAN_LIT("Received"))) {
		take_received(r, name, value);
	} else if (span_eq_nocase(name, SPAN_LIT("Message-ID"))) {
		if (keep_line(&r->message_id, name, value))
			return;
		r->identified = true;
		hash_line(r, name, value);
	} else if (span_eq_nocase(name, SPAN_LIT("Date"))) {
		if (!keep_line(&r->date, name, value))
			hash_line(r, name, value);
	} else if (span_starts_nocase(name, SPAN_LIT("Resent-"))) {
		hash_line(r, name, value);
	}
}

static void begin_body(struct receipt *r)
{
	if (!r->in_body)
		hash_span(r, SPAN_LIT("\n"));
	r->in_body = true;
}

/* Offset of the first LF in s, from from on, that has no CR before it; s.n
 * when there is none. */
static size_t find_bare_lf(struct span s, size_t from, char before)
{
	for (size_t i = from; i < s.n; i++) {
		i += span_find(span_skip(s, i), '\n');
		if (i < s.n && (i > 0 ? s.p[i - 1] : before) != '\r')
			return i;
	}
	return s.n;
}

/* The normal line end is CRLF, the one that nearly every body has, so that
 * those are hashed in whole pieces. */
void receipt_body(struct receipt *r, struct span piece)
{
	size_t sent = 0;
	size_t i;

	begin_body(r);
	if (piece.n == 0)
		return;
	for (i = find_bare_lf(piece, 0, r->last); i < piece.n;
	     i = find_bare_lf(piece, i + 1, r->last)) {
		hash(r, piece.p + sent, i - sent);
		hash(r, "\r", 1);
		r->body_octets++;
		sent = i;
	}
	hash(r, piece.p + sent, piece.n - sent);
	r->body_octets += piece.n;
	r->last = piece.p[piece.n - 1];
}

static void end_body(struct receipt *r)
{
	begin_body(r);
	if (r->body_octets == 0 || r->last == '\n')
		return;
	hash_span(r, SPAN_LIT("\r\n"));
	r->body_octets += 2;
}

static bool contains(struct span s, struct span what)
{
	if (what.n == 0)
		return false;
	for (size_t i = 0; i + what.n <= s.n; i++)
		if (memcmp(s.p + i, what.p, what.n) == 0)
			return true;
	return false;
}

/* The value of a kept line. */
static struct span kept_value(const struct buf *line)
{
	struct span name, value;

	span_cut(buf_span(line), ':', &name, &value);
	return span_trim(value);
}

static bool is_made_by_us(const struct receipt *r, struct span id,
			  struct span queue_id)
{
	for (size_t i = 0; i < r->own_n; i++)
		if (contains(id, span_make(r->own_id[i].text, r->own_id[i].n)))
			return true;
	return contains(id, queue_id);
}

static void hash_kept(struct receipt *r, struct span queue_id)
{
	struct span id = kept_value(&r->message_id);

	if (!buf_ok(&r->message_id) || !buf_ok(&r->date))
		r->failed = true;
	if (is_made_by_us(r, id, queue_id))
		return;
	if (id.n > 0)
		r->identified = true;
	hash_span(r, buf_span(&r->message_id));
	hash_span(r, buf_span(&r->date));
}

/* Without anything else it is a mail of this queue. */
static void hash_queue(struct receipt *r)
{
	if (r->identified || r->queue.n == 0)
		return;
	if (!buf_ok(&r->queue))
		r->failed = true;
	r->identified = true;
	hash_span(r, buf_span(&r->queue));
}

/* The end of what is hashed, and what tells where the body ended. */
static void hash_length(struct receipt *r)
{
	uint8_t a[8];

	for (size_t i = 0; i < sizeof(a); i++)
		a[i] = (uint8_t)(r->body_octets >> (56 - 8 * i) & 0xff);
	hash(r, a, sizeof(a));
}

/* Trouble of ours (no memory) makes no key either: a mail stored twice in
 * that case is better than one taken for another. */
bool receipt_finish(struct receipt *r, struct span queue_id,
		    uint8_t key_r[RECEIPT_KEY_SIZE])
{
	uint8_t digest[EVP_MAX_MD_SIZE];

	end_body(r);
	hash_kept(r, queue_id);
	hash_queue(r);
	hash_length(r);
	if (r->failed || EVP_DigestFinal_ex(r->hash, digest, NULL) != 1)
		return false;
	memcpy(key_r, digest, RECEIPT_KEY_SIZE);
	return r->identified;
}

struct span receipt_queue_id(const struct receipt *r)
{
	if (!r->own_first)
		return SPAN_EMPTY;
	return span_make(r->own_id[0].text, r->own_id[0].n);
}

int64_t receipt_queue_time(const struct receipt *r)
{
	return r->queue_time;
}
