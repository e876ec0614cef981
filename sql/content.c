/* sql/content.c: see content.h. */
#include "sql/content.h"

#include <sys/random.h>

#include <openssl/evp.h>

#include "lib/clock.h"
#include "lib/header.h"
#include "lib/log.h"

enum {
	OUT_MAX = 4 << 20,    /* twice what one packet of the MTA holds */
	OUT_FLUSH = 16 << 10, /* small headers are hashed together */
	OUT_KEEP = 160 << 10, /* memory kept from mail to mail */
	UPLOAD_STEP = 1 << 20
};

/* Fetched once: a look-up by name for each mail costs more than hashing a
 * small one. */
static EVP_MD *sha256;

bool content_prepare(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	return sha256 != NULL;
}

static void content_fail(struct content *c, enum reply_id why)
{
	if (c->failed == R_NONE)
		c->failed = why;
}

static bool content_make_id(struct content *c)
{
	uint8_t random[10];

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return false;
	content_id_make(clock_unix_ms(), random, c->mail.id);
	return true;
}

void content_begin(struct content *c, const struct conf *conf,
		   struct pool *pool,
		   bool (*own_host)(void *arg, struct span host), void *arg)
{
	c->begun = true;
	c->conf = conf;
	c->pool = pool;
	c->upload_at = conf->upload_threshold;
	c->out.max = OUT_MAX;
	c->split = (struct headersplit)HEADERSPLIT_INIT;
	c->mail.receipt_window = conf->receipt_window;
	c->mail.content =
		spool_new(conf->spool_dir, (size_t)conf->spool_memory);
	c->receipt = receipt_new(own_host, arg);
	if (!c->digest)
		c->digest = EVP_MD_CTX_new();
	if (!c->mail.content || !c->receipt || !c->digest ||
	    EVP_DigestInit_ex(c->digest, sha256, NULL) != 1 ||
	    !content_make_id(c))
		content_fail(c, R_NO_MEMORY);
}

static void content_note_end(struct content *c, struct span s)
{
	if (s.n >= 2)
		memcpy(c->last, s.p + s.n - 2, 2);
	else if (s.n == 1) {
		c->last[0] = c->last[1];
		c->last[1] = s.p[0];
	}
}

static void content_flush(struct content *c)
{
	struct span s = buf_span(&c->out);

	if (!buf_ok(&c->out))
		content_fail(c, R_NO_MEMORY);
	if (c->failed == R_NONE && s.n) {
		if (EVP_DigestUpdate(c->digest, s.p, s.n) != 1)
			content_fail(c, R_NO_MEMORY);
		if (!spool_put(c->mail.content, s)) {
			log_warn("%s", spool_why(c->mail.content));
			content_fail(c, R_SPOOL);
		}
		content_note_end(c, s);
	}
	buf_reset(&c->out);
}

/* What nearly every header had there. */
static void content_put_spaced(struct content *c, struct span name,
			       struct span value)
{
	struct buf spaced = BUF_INIT(OUT_MAX);

	buf_putc(&spaced, ' ');
	buf_put_span(&spaced, value);
	if (buf_ok(&spaced))
		header_put(&c->out, name, buf_span(&spaced));
	else
		content_fail(c, R_NO_MEMORY);
	buf_release(&spaced);
}

void content_header(struct content *c, struct span name, struct span value)
{
	if (c->failed != R_NONE || c->header_done)
		return;
	if (c->eats_space)
		content_put_spaced(c, name, value);
	else
		header_put(&c->out, name, value);
	receipt_header(c->receipt, name, value);
	if (c->out.n >= OUT_FLUSH)
		content_flush(c);
}

static void content_take_field(void *arg, struct span name, struct span value)
{
	struct content *c = arg;

	receipt_header(c->receipt, name, value);
}

static void content_take_body(void *arg, struct span piece)
{
	struct content *c = arg;

	receipt_body(c->receipt, piece);
}

static void content_note_header(struct content *c)
{
	if (c->split.failed)
		content_fail(c, R_NO_MEMORY);
	c->header_done = c->split.done;
	c->mail.header_octets = c->split.octets;
}

static void content_split(struct content *c, struct span s)
{
	const struct headersplit_to to = { content_take_field,
					   content_take_body, c };

	headersplit_feed(&c->split, s, &to);
	content_note_header(c);
}

static void content_end_split(struct content *c)
{
	const struct headersplit_to to = { content_take_field,
					   content_take_body, c };

	headersplit_end(&c->split, &to);
	content_note_header(c);
}

/* A mail that came as octets and has no empty line gets none. */
static void content_end_header(struct content *c)
{
	if (c->failed != R_NONE || c->header_done)
		return;
	if (c->raw) {
		content_end_split(c);
		return;
	}
	buf_puts(&c->out, "\r\n");
	content_flush(c);
	c->header_done = true;
	if (c->failed == R_NONE)
		c->mail.header_octets = spool_size(c->mail.content);
}

/* The deadline is that of one commit: the MTA waits for us to take the next
 * piece of the body, and longer for that than for a commit. */
static void content_upload(struct content *c)
{
	int64_t timeout = c->conf->deliver_timeout;

	if (spool_size(c->mail.content) <= c->upload_at ||
	    c->mail.upload_broken)
		return;
	c->upload_at = spool_size(c->mail.content) + UPLOAD_STEP;
	deliver_upload(c->pool, &c->mail, deadline_in(timeout));
}

void content_body(struct content *c, struct span piece)
{
	content_end_header(c);
	if (c->failed != R_NONE)
		return;
	dot_crlf(&c->crlf, piece, &c->out);
	receipt_body(c->receipt, piece);
	content_flush(c);
	if (c->failed == R_NONE)
		content_upload(c);
}

void content_raw(struct content *c, struct span piece)
{
	if (c->failed != R_NONE)
		return;
	c->raw = true;
	dot_crlf(&c->crlf, piece, &c->out);
	if (buf_ok(&c->out))
		content_split(c, buf_span(&c->out));
	content_flush(c);
	if (c->failed == R_NONE)
		content_upload(c);
}

/* With BDAT a mail may end without a line end. */
static void content_end_line(struct content *c)
{
	if (c->failed != R_NONE || memcmp(c->last, "\r\n", 2) == 0)
		return;
	buf_puts(&c->out, "\r\n");
	receipt_body(c->receipt, SPAN_LIT("\r\n"));
	content_flush(c);
}

void content_finish(struct content *c, struct span queue_id)
{
	content_end_header(c);
	content_end_line(c);
	if (c->failed != R_NONE)
		return;
	if (EVP_DigestFinal_ex(c->digest, c->mail.sha256, NULL) != 1)
		content_fail(c, R_NO_MEMORY);
	c->mail.has_key = receipt_finish(c->receipt, queue_id, c->mail.key);
}

bool content_renew(struct content *c)
{
	c->mail.uploaded = 0;
	return content_make_id(c);
}

void content_reset(struct content *c)
{
	struct evp_md_ctx_st *digest = c->digest;
	struct buf out = c->out;

	spool_free(&c->mail.content);
	receipt_free(&c->receipt);
	headersplit_release(&c->split);
	buf_reset(&out);
	if (out.size > OUT_KEEP)
		buf_release(&out);
	memset(c, 0, sizeof(*c));
	c->digest = digest;
	c->out = out;
}

void content_release(struct content *c)
{
	content_reset(c);
	EVP_MD_CTX_free(c->digest);
	c->digest = NULL;
	buf_release(&c->out);
}
