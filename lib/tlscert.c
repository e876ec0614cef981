/* lib/tlscert.c: see tlscert.h. */
#include "lib/tlscert.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 1 << 20, PIECE = 16384 };

static const char *openssl_reason(void)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	return reason ? reason : "malformed";
}

/* A password for a key is asked of nobody. */
static int no_password(char *to, int size, int writing, void *arg)
{
	(void)to;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static const char *read_octets(int fd, struct buf *text)
{
	ssize_t n;
	char *to;

	do {
		to = buf_reserve(text, PIECE);
		if (!to)
			return "larger than 1M";
		n = read(fd, to, PIECE);
		if (n > 0)
			text->n += (size_t)n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	return n < 0 ? strerror(errno) : NULL;
}

/* NULL, or why not. */
static const char *read_file(const char *file, bool secret, struct buf *text)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	const char *why = NULL;
	struct stat st;

	if (fd < 0)
		return strerror(errno);
	if (fstat(fd, &st) != 0)
		why = strerror(errno);
	else if (!S_ISREG(st.st_mode))
		why = "not a regular file";
	else if (secret && (st.st_mode & S_IRWXO))
		why = "holds a key and is open to everybody (chmod o=)";
	else
		why = read_octets(fd, text);
	(void)close(fd); /* only read from */
	return why;
}

static const char *take_certificates(struct tlscert *c, struct span text)
{
	BIO *bio = BIO_new_mem_buf(text.p, (int)text.n);
	X509 *next;

	if (!bio)
		return "out of memory";
	c->leaf = PEM_read_bio_X509(bio, NULL, no_password, NULL);
	while (c->leaf &&
	       (next = PEM_read_bio_X509(bio, NULL, no_password, NULL))) {
		if (!c->chain)
			c->chain = sk_X509_new_null();
		if (!c->chain || !sk_X509_push(c->chain, next)) {
			X509_free(next);
			break;
		}
	}
	BIO_free(bio);
	if (!c->leaf)
		return "holds no certificate";
	/* at the end there is no further one, and nothing else is wrong */
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		return openssl_reason();
	ERR_clear_error();
	return NULL;
}

static const char *take_key(struct tlscert *c, struct span text)
{
	BIO *bio = BIO_new_mem_buf(text.p, (int)text.n);
	unsigned long e;

	if (!bio)
		return "out of memory";
	c->key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	BIO_free(bio);
	if (c->key)
		return NULL;
	e = ERR_peek_error();
	if (ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_BAD_PASSWORD_READ ||
	    ERR_GET_REASON(e) == PEM_R_BAD_PASSWORD_READ)
		return "the key is protected by a password";
	return "holds no key";
}

/* Also fills what OpenSSL remembers of a certificate, before any fork. */
static const char *judge(struct tlscert *c, time_t now)
{
	struct tm tm;

	(void)X509_check_purpose(c->leaf, -1, 0);
	if (X509_check_private_key(c->leaf, c->key) != 1)
		return "is for another key than its key file holds";
	if (ASN1_TIME_to_tm(X509_get0_notAfter(c->leaf), &tm) != 1)
		return "has a malformed date";
	c->until = timegm(&tm);
	if (X509_cmp_time(X509_get0_notBefore(c->leaf), &now) > 0)
		return "is not valid yet";
	return NULL;
}

/* NULL, or why not; *blame_r is the file it is about. */
static const char *load(struct tlscert *c, const char *key_file, time_t now,
			const char **blame_r)
{
	bool apart = key_file[0] != '\0';
	struct buf text = BUF_INIT(FILE_MAX + PIECE);
	const char *why = read_file(c->file, !apart, &text);

	*blame_r = c->file;
	if (!why)
		why = take_certificates(c, buf_span(&text));
	if (!why && apart) {
		*blame_r = key_file;
		buf_reset(&text);
		why = read_file(key_file, true, &text);
	}
	if (!why)
		why = take_key(c, buf_span(&text));
	buf_wipe(&text);
	if (why)
		return why;
	*blame_r = c->file;
	return judge(c, now);
}

struct tlscert *tlscert_load(const char *file, const char *key_file, time_t now,
			     struct buf *why)
{
	struct tlscert *c = calloc(1, sizeof(*c));
	const char *blame = file;
	const char *reason = "out of memory";

	ERR_clear_error();
	if (c) {
		c->refs = 1;
		c->file = strdup(file);
	}
	if (c && c->file)
		reason = load(c, key_file, now, &blame);
	if (reason) {
		buf_printf(why, "%s: %s", blame, reason);
		tlscert_unref(&c);
		ERR_clear_error();
	}
	return c;
}

struct tlscert *tlscert_ref(struct tlscert *c)
{
	c->refs++;
	return c;
}

void tlscert_unref(struct tlscert **cp)
{
	struct tlscert *c = *cp;

	*cp = NULL;
	if (!c || --c->refs > 0)
		return;
	X509_free(c->leaf);
	sk_X509_pop_free(c->chain, X509_free);
	EVP_PKEY_free(c->key);
	free(c->file);
	free(c);
}

bool tlscert_expired(const struct tlscert *c, time_t now)
{
	return c->until <= now;
}

bool tlscert_is_for(const struct tlscert *c, struct span name)
{
	return X509_check_host(c->leaf, name.p, name.n,
			       X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
				       X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
			       NULL) == 1;
}

void tlscert_forget_key(struct tlscert *c)
{
	EVP_PKEY_free(c->key);
	c->key = NULL;
}
