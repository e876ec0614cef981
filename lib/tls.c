/* lib/tls.c: see tls.h. */
#include "lib/tls.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/tlsstore.h"
#include "lib/tlsticket.h"

enum {
	RECORD = SSL3_RT_MAX_PLAIN_LENGTH,
	RECORD_COST = 256, /* header, padding, tag: more than any cipher's */
	LINE_END = 5,      /* CRLF . CRLF */
	OUT_MAX = 4 * (RECORD + RECORD_COST) + 4096, /* 4096: for alerts */
	OUT_KEPT = 4096,
	SESSION_S = TLSTICKET_TURN_MS / 1000
};

static const char CIPHERS[] =
	"ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:!aNULL:!eNULL";
static const unsigned char ALPN[] = "\4pop3";

struct tls {
	SSL_CTX *ctx;
	BIO_METHOD *method;
	struct tlsstore *store;
	struct tlsticket_keys tickets;
};

struct tls_conn {
	SSL *ssl;
	int fd;
	struct buf out;
	bool cut;   /* the socket has ended */
	bool empty; /* nothing was there at the last read */
	const char *why;
};

/* OpenSSL's way to the socket. What it writes is gathered. */

static int bio_write(BIO *bio, const char *p, int n)
{
	struct tls_conn *c = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	buf_put(&c->out, p, (size_t)n);
	return buf_ok(&c->out) ? n : -1;
}

static int bio_read(BIO *bio, char *p, int size)
{
	struct tls_conn *c = BIO_get_data(bio);
	ssize_t n = recv(c->fd, p, (size_t)size, MSG_DONTWAIT);

	BIO_clear_retry_flags(bio);
	if (n == 0)
		c->cut = true;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_read(bio);
	return (int)n;
}

static long bio_ctrl(BIO *bio, int what, long n, void *arg)
{
	const struct tls_conn *c = BIO_get_data(bio);

	(void)n;
	(void)arg;
	if (what == BIO_CTRL_EOF)
		return c->cut;
	return what == BIO_CTRL_FLUSH;
}

static BIO_METHOD *make_method(void)
{
	BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK,
				     "connection");

	if (m && BIO_meth_set_write(m, bio_write) &&
	    BIO_meth_set_read(m, bio_read) && BIO_meth_set_ctrl(m, bio_ctrl))
		return m;
	BIO_meth_free(m);
	return NULL;
}

/* What a handshake asks for. */

static bool show(SSL *ssl, const struct tlscert *c)
{
	return c->key &&
	       SSL_use_cert_and_key(ssl, c->leaf, c->key, c->chain, 1) == 1;
}

static int choose_certificate(SSL *ssl, void *arg)
{
	const struct tls *t = arg;
	const char *host = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	return show(ssl, tlsstore_find(t->store, span_of(host)));
}

static int take_name(SSL *ssl, int *alert, void *arg)
{
	(void)ssl;
	(void)alert;
	(void)arg;
	return SSL_TLSEXT_ERR_OK;
}

static int choose_protocol(SSL *ssl, const unsigned char **out,
			   unsigned char *out_n, const unsigned char *in,
			   unsigned in_n, void *arg)
{
	(void)ssl;
	(void)arg;
	for (unsigned i = 0; i < in_n; i += in[i] + 1U) {
		if (in[i] == ALPN[0] && in_n - i > ALPN[0] &&
		    memcmp(in + i, ALPN, ALPN[0] + 1U) == 0) {
			*out = in + i + 1;
			*out_n = ALPN[0];
			return SSL_TLSEXT_ERR_OK;
		}
	}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static bool set_mac(EVP_MAC_CTX *mac, const struct tlsticket_key *k)
{
	uint8_t key[TLSTICKET_KEY];
	char digest[] = "SHA256";
	OSSL_PARAM p[] = {
		OSSL_PARAM_octet_string(OSSL_MAC_PARAM_KEY, key, sizeof(key)),
		OSSL_PARAM_utf8_string(OSSL_MAC_PARAM_DIGEST, digest,
				       sizeof(digest) - 1),
		OSSL_PARAM_END,
	};
	bool ok;

	memcpy(key, k->mac, sizeof(key));
	ok = EVP_MAC_CTX_set_params(mac, p) == 1;
	explicit_bzero(key, sizeof(key));
	return ok;
}

static int write_ticket(const struct tls *t, unsigned char *name,
			unsigned char *iv, EVP_CIPHER_CTX *cipher,
			EVP_MAC_CTX *mac)
{
	const struct tlsticket_key *k = tlsticket_writer(&t->tickets);

	if (!k)
		return 0;
	memcpy(name, k->name, sizeof(k->name));
	if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1 ||
	    EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, k->cipher,
			       iv) != 1)
		return -1;
	return set_mac(mac, k) ? 1 : -1;
}

/* One under the key before is replaced by a new one: 2. */
static int read_ticket(const struct tls *t, const unsigned char *name,
		       const unsigned char *iv, EVP_CIPHER_CTX *cipher,
		       EVP_MAC_CTX *mac)
{
	const struct tlsticket_key *k =
		tlsticket_reader(&t->tickets, name, clock_ms());

	if (!k)
		return 0;
	if (!set_mac(mac, k) || EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(),
						   NULL, k->cipher, iv) != 1)
		return -1;
	return k == tlsticket_writer(&t->tickets) ? 1 : 2;
}

static int handle_ticket(SSL *ssl, unsigned char *name, unsigned char *iv,
			 EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int writing)
{
	const struct tls *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	return writing ? write_ticket(t, name, iv, cipher, mac)
		       : read_ticket(t, name, iv, cipher, mac);
}

/* The parent's side. */

static bool set_up(struct tls *t)
{
	char groups[] = "X25519:P-256:P-384"; /* not const: a macro */
	SSL_CTX *x = t->ctx;

	SSL_CTX_set_options(x, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
				       SSL_OP_CIPHER_SERVER_PREFERENCE |
				       SSL_OP_PRIORITIZE_CHACHA |
				       SSL_OP_IGNORE_UNEXPECTED_EOF |
				       SSL_OP_CLEANSE_PLAINTEXT);
	SSL_CTX_set_mode(x, SSL_MODE_RELEASE_BUFFERS |
				    SSL_MODE_ENABLE_PARTIAL_WRITE |
				    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_read_ahead(x, 1);
	SSL_CTX_set_app_data(x, t);
	SSL_CTX_set_cert_cb(x, choose_certificate, t);
	SSL_CTX_set_tlsext_servername_callback(x, take_name);
	SSL_CTX_set_alpn_select_cb(x, choose_protocol, NULL);
	/* what a session keeps is gone with it: tickets alone resume */
	SSL_CTX_set_session_cache_mode(x, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_timeout(x, SESSION_S);
	return SSL_CTX_set_tlsext_ticket_key_evp_cb(x, handle_ticket) == 1 &&
	       SSL_CTX_set_num_tickets(x, 1) == 1 &&
	       SSL_CTX_set_session_id_context(x, ALPN, sizeof(ALPN)) == 1 &&
	       SSL_CTX_set_cipher_list(x, CIPHERS) == 1 &&
	       SSL_CTX_set1_groups_list(x, groups) == 1;
}

struct tls *tls_new(void)
{
	struct tls *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	if (OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS |
				     OPENSSL_INIT_LOAD_CRYPTO_STRINGS,
			     NULL) == 1)
		t->ctx = SSL_CTX_new(TLS_server_method());
	t->method = make_method();
	if (!t->ctx || !t->method || !set_up(t))
		tls_free(&t);
	return t;
}

void tls_free(struct tls **tp)
{
	struct tls *t = *tp;

	*tp = NULL;
	if (!t)
		return;
	tlsstore_free(&t->store);
	tlsticket_wipe(&t->tickets);
	SSL_CTX_free(t->ctx);
	BIO_meth_free(t->method);
	free(t);
}

static const char *openssl_reason(void)
{
	const char *reason = ERR_reason_error_string(ERR_peek_error());

	return reason ? reason : "unknown reason";
}

/* Two ends in memory shake hands: a certificate that OpenSSL would not serve
 * is found here, and what it loads at first use is there for every session. */
static bool play(SSL *server, SSL *client)
{
	BIO *a, *b;

	if (!BIO_new_bio_pair(&a, 0, &b, 0))
		return false;
	SSL_set_bio(server, a, a);
	SSL_set_bio(client, b, b);
	SSL_set_accept_state(server);
	SSL_set_connect_state(client);
	for (int i = 0; i < 8; i++) {
		(void)SSL_do_handshake(client);
		(void)SSL_do_handshake(server);
		if (SSL_is_init_finished(server) &&
		    SSL_is_init_finished(client))
			return true;
	}
	return false;
}

static bool rehearse(const struct tls *t, int version)
{
	SSL_CTX *x = SSL_CTX_new(TLS_client_method());
	SSL *client = x ? SSL_new(x) : NULL;
	SSL *server = SSL_new(t->ctx);
	bool ok = client && server &&
		  SSL_set_max_proto_version(client, version) &&
		  SSL_set_min_proto_version(client, version) &&
		  play(server, client);

	SSL_free(server);
	SSL_free(client);
	SSL_CTX_free(x);
	return ok;
}

/* OpenSSL may find one too weak. */
static const char *refuse_certificate(void *arg, const struct tlscert *c)
{
	const struct tls *t = arg;
	SSL *ssl = SSL_new(t->ctx);
	const char *why = NULL;

	ERR_clear_error();
	if (!ssl || !show(ssl, c))
		why = openssl_reason();
	SSL_free(ssl);
	ERR_clear_error();
	return why;
}

static bool try_out(const struct tls *t, const struct conf *c, struct buf *why)
{
	ERR_clear_error();
	if (rehearse(t, TLS1_3_VERSION) &&
	    (strcmp(c->tls_min, "TLSv1.3") == 0 || rehearse(t, TLS1_2_VERSION)))
		return true;
	buf_printf(why, "%s: cannot be used: %s\n", t->store->first->file,
		   openssl_reason());
	ERR_clear_error();
	return false;
}

static bool set_versions(struct tls *t, const struct conf *c)
{
	bool only_13 = strcmp(c->tls_min, "TLSv1.3") == 0;

	return SSL_CTX_set_min_proto_version(
		       t->ctx, only_13 ? TLS1_3_VERSION : TLS1_2_VERSION) == 1;
}

bool tls_load(struct tls *t, const struct conf *c, struct buf *why)
{
	const struct tlsstore_files files = {
		.cert = c->tls_cert,
		.key = c->tls_key,
		.dir = c->tls_sni_dir,
		.refuse = refuse_certificate,
		.arg = t,
	};
	long min = SSL_CTX_get_min_proto_version(t->ctx);
	struct tlsstore *old = t->store;
	struct tlsstore *new =
		tlsstore_load(&files, old, (time_t)clock_unix(), why);

	if (!new)
		return false;
	t->store = new;
	if (set_versions(t, c) && try_out(t, c, why)) {
		tlsstore_free(&old);
		return true;
	}
	(void)SSL_CTX_set_min_proto_version(t->ctx, min);
	t->store = old;
	tlsstore_free(&new);
	return false;
}

bool tls_ready(const struct tls *t)
{
	return t && t->store;
}

int64_t tls_turn_tickets(struct tls *t)
{
	uint8_t seed[TLSTICKET_SEED];
	int64_t now = clock_ms();

	if (now < tlsticket_next(&t->tickets))
		return tlsticket_next(&t->tickets);
	if (RAND_priv_bytes(seed, sizeof(seed)) != 1)
		return 0;
	tlsticket_turn(&t->tickets, seed, now);
	explicit_bzero(seed, sizeof(seed));
	return tlsticket_next(&t->tickets);
}

void tls_put_ending(const struct tls *t, unsigned days, struct buf *b)
{
	time_t now = (time_t)clock_unix();

	if (t->store)
		tlsstore_put_ending(t->store, now,
				    now + (time_t)days * 24 * 60 * 60, b);
}

bool tls_check(const struct conf *c, struct buf *why)
{
	struct tls *t;
	bool ok;

	if (c->tls_cert[0] == '\0')
		return true;
	t = tls_new();
	if (!t)
		buf_puts(why, "cannot check certificates: out of memory\n");
	ok = t && tls_load(t, c, why) && why->n == 0;
	tls_free(&t);
	return ok;
}

/* A session's side. */

struct tls_conn *tls_accept(struct tls *t, int fd)
{
	struct tls_conn *c = calloc(1, sizeof(*c));
	BIO *bio = BIO_new(t->method);

	if (c && bio)
		c->ssl = SSL_new(t->ctx);
	if (!c || !bio || !c->ssl) {
		BIO_free(bio);
		free(c);
		return NULL;
	}
	c->fd = fd;
	c->why = "not finished";
	buf_init(&c->out, OUT_MAX);
	BIO_set_data(bio, c);
	BIO_set_init(bio, 1);
	SSL_set_bio(c->ssl, bio, bio);
	SSL_set_accept_state(c->ssl);
	return c;
}

static enum tls_result fail(struct tls_conn *c)
{
	c->why = c->cut             ? "closed by the client"
		 : ERR_peek_error() ? openssl_reason()
				    : "connection lost";
	return TLS_FAILED;
}

/* What a call that did not succeed means. */
static enum tls_result judge(struct tls_conn *c, int returned)
{
	switch (SSL_get_error(c->ssl, returned)) {
	case SSL_ERROR_WANT_READ:
		c->empty = true;
		return TLS_AGAIN;
	case SSL_ERROR_ZERO_RETURN:
		c->why = "closed by the client";
		return TLS_END;
	default:
		return fail(c);
	}
}

enum tls_result tls_shake(struct tls_conn *c)
{
	int n;

	ERR_clear_error();
	c->empty = false;
	n = SSL_do_handshake(c->ssl);
	return n == 1 ? TLS_OK : judge(c, n);
}

enum tls_result tls_read(struct tls_conn *c, char *p, size_t size, size_t *n_r)
{
	int n;

	ERR_clear_error();
	c->empty = false;
	n = SSL_read_ex(c->ssl, p, size, n_r);
	return n == 1 ? TLS_OK : judge(c, n);
}

bool tls_waits(const struct tls_conn *c)
{
	return !c->empty && SSL_has_pending(c->ssl);
}

/* The end of an answer does not go over two records: some clients look for it
 * in what one read gives them. */
static size_t piece_of(size_t n)
{
	if (n <= RECORD)
		return n;
	return n - RECORD < LINE_END ? RECORD - LINE_END : RECORD;
}

size_t tls_write(struct tls_conn *c, struct span s)
{
	size_t done = 0, n;

	ERR_clear_error();
	while (done < s.n &&
	       c->out.n + RECORD + RECORD_COST + OUT_KEPT <= OUT_MAX) {
		if (SSL_write_ex(c->ssl, s.p + done, piece_of(s.n - done),
				 &n) != 1)
			return 0;
		done += n;
	}
	return done;
}

bool tls_unsent(const struct tls_conn *c)
{
	return c->out.n > 0;
}

enum tls_result tls_flush(struct tls_conn *c)
{
	ssize_t n;

	if (c->out.n == 0)
		return TLS_AGAIN;
	n = send(c->fd, c->out.p, c->out.n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? TLS_AGAIN
							 : TLS_FAILED;
	buf_drop(&c->out, (size_t)n);
	if (c->out.n == 0 && c->out.size > OUT_KEPT)
		buf_release(&c->out);
	return n > 0 ? TLS_OK : TLS_AGAIN;
}

void tls_close(struct tls_conn *c)
{
	ERR_clear_error();
	(void)SSL_shutdown(c->ssl);
}

const char *tls_version(const struct tls_conn *c)
{
	return SSL_get_version(c->ssl);
}

const char *tls_cipher(const struct tls_conn *c)
{
	return SSL_get_cipher_name(c->ssl);
}

const char *tls_why(const struct tls_conn *c)
{
	return c->why;
}

void tls_forget_keys(struct tls *t, struct tls_conn *c)
{
	if (c)
		SSL_certs_clear(c->ssl);
	if (t->store)
		tlsstore_forget_keys(t->store);
	tlsticket_wipe(&t->tickets);
}
