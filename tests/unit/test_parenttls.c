/* tests/unit/test_parenttls.c: what the parent does about certificates as time
 * goes by: the clock is the test's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "pop3d/parent.h"

enum { DAY_S = 24 * 60 * 60, LINE = 1024 };

static char dir[] = "/tmp/test_parenttls.XXXXXX", pem[64], log_file[64];
static struct parent parent;
static time_t turned; /* seconds that the clocks are ahead */

int __real_clock_gettime(clockid_t id, struct timespec *t);
int __wrap_clock_gettime(clockid_t id, struct timespec *t);

int __wrap_clock_gettime(clockid_t id, struct timespec *t)
{
	int r = __real_clock_gettime(id, t);

	t->tv_sec += turned;
	return r;
}

/* A certificate and its key, good for so long. */
static void write_certificate(long seconds)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	FILE *f = fopen(pem, "w");

	assert_non_null(key);
	assert_non_null(x);
	assert_non_null(f);
	assert_int_equal(chmod(pem, 0600), 0);
	assert_true(X509_set_version(x, 2));
	assert_true(ASN1_INTEGER_set(X509_get_serialNumber(x), 1));
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x), -DAY_S));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x), seconds));
	assert_true(X509_set_pubkey(x, key));
	assert_true(X509_sign(x, key, EVP_sha256()));
	assert_true(PEM_write_X509(f, x));
	assert_true(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL));
	assert_int_equal(fclose(f), 0);
	X509_free(x);
	EVP_PKEY_free(key);
}

static struct conf *read_conf(void)
{
	struct buf text = BUF_INIT(256), problems = BUF_INIT(4096);
	struct conf_source source = { "test", SPAN_EMPTY };
	struct conf *c;

	buf_printf(&text, "log_to = stderr\ntls_cert = %s\n", pem);
	source.text = buf_span(&text);
	c = conf_parse(&source, 1, &problems);
	assert_non_null(c);
	buf_release(&text);
	buf_release(&problems);
	return c;
}

static int setup(void **state)
{
	int fd;

	(void)state;
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(pem, sizeof(pem), "%s/cert.pem", dir);
	(void)snprintf(log_file, sizeof(log_file), "%s/log", dir);
	fd = open(log_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	return fd < 0 || dup2(fd, STDERR_FILENO) < 0 || close(fd) != 0;
}

static int teardown(void **state)
{
	(void)state;
	(void)unlink(pem);
	(void)unlink(log_file);
	return rmdir(dir);
}

/* What the log says since the last time; true if it is one line. */
static bool told(char line[LINE])
{
	FILE *f = fopen(log_file, "r");
	char second[LINE];
	bool one;

	assert_non_null(f);
	line[0] = '\0';
	one = fgets(line, LINE, f) && !fgets(second, sizeof(second), f);
	(void)fclose(f);
	assert_int_equal(truncate(log_file, 0), 0);
	return one;
}

/* The parent sleeps until it is due; anything may wake it before. */
static void sleep_until_due(int64_t at)
{
	while (clock_ms() < at) {
		int64_t left = at - clock_ms();
		char line[LINE];

		turned += (time_t)(left > 7000000 ? 7000 : left / 1000 + 1);
		if (clock_ms() < at) {
			(void)parent_tls_tend(&parent);
			assert_false(told(line));
			assert_string_equal(line, "");
		}
	}
}

/* The parent is due within a day; what it says then. */
static void a_day_says(const char *want)
{
	int64_t now = clock_ms(), at = parent.endings_at;
	char line[LINE];

	assert_in_range(at, now, now + DAY_S * 1000);
	sleep_until_due(at);
	assert_true(parent_tls_tend(&parent) <= parent.endings_at);
	assert_int_equal(told(line), want[0] != '\0');
	assert_non_null(strstr(line, want));
}

static void an_end_in_sight_is_told_once_a_day(void **state)
{
	char line[LINE], want[64];

	(void)state;
	write_certificate(17 * DAY_S + DAY_S / 2);
	parent = (struct parent){ .conf = read_conf() };
	log_open(parent.conf, "test");
	parent_tls_start(&parent);
	(void)parent_tls_tend(&parent);
	assert_false(told(line));
	assert_string_equal(line, "");
	for (int day = 0; day < 3; day++)
		a_day_says("");
	for (int left = 13; left >= 0; left--) {
		(void)snprintf(want, sizeof(want), ", in %d days", left);
		a_day_says(want);
	}
	for (int day = 0; day < 3; day++)
		a_day_says("cert.pem: expired on 20");
	tls_free(&parent.tls);
	conf_unref(&parent.conf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_end_in_sight_is_told_once_a_day),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
