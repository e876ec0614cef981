#include "lib/spool.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[64];

static int make_dir(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "test_spool.XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

static unsigned names_in_dir(void)
{
	DIR *d = opendir(dir);
	unsigned n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static char octet_at(uint64_t i)
{
	return (char)(i * 31 + i / 251);
}

static struct spool *fill(size_t memory, size_t total, size_t piece)
{
	struct spool *s = spool_new(dir, memory);
	char p[4096];

	assert_non_null(s);
	assert_true(piece <= sizeof(p));
	for (size_t at = 0; at < total; at += piece) {
		size_t n = total - at < piece ? total - at : piece;

		for (size_t i = 0; i < n; i++)
			p[i] = octet_at(at + i);
		assert_true(spool_put(s, span_make(p, n)));
	}
	return s;
}

static void check_read(struct spool *s, uint64_t at, size_t n, size_t total)
{
	size_t want = at >= total ? 0 : total - (size_t)at;
	static char p[20000];

	assert_true(n <= sizeof(p));
	want = want < n ? want : n;
	assert_int_equal(spool_read(s, at, p, n), want);
	for (size_t i = 0; i < want; i++)
		if (p[i] != octet_at(at + i))
			fail_msg("octet %zu of %zu at %zu", i, n, (size_t)at);
}

static void what_was_put_is_read_at_every_offset(void **state)
{
	static const struct {
		size_t memory, total, piece;
	} row[] = {
		{ 8192, 5000, 700 },   { 5000, 5000, 700 },
		{ 4999, 5000, 700 },   { 1000, 5000, 1000 },
		{ 1000, 15000, 4096 }, { 0, 5000, 333 },
		{ 4096, 0, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		struct spool *s =
			fill(row[i].memory, row[i].total, row[i].piece);

		assert_int_equal(spool_size(s), row[i].total);
		for (uint64_t at = 0; at < row[i].total + 10; at += 97) {
			check_read(s, at, 1, row[i].total);
			check_read(s, at, 1024, row[i].total);
			check_read(s, at, 20000, row[i].total);
		}
		assert_string_equal(spool_why(s), "");
		spool_free(&s);
		assert_null(s);
	}
}

static void the_file_has_no_name(void **state)
{
	struct spool *s = fill(100, 5000, 1000);

	(void)state;
	assert_int_equal(names_in_dir(), 0);
	spool_free(&s);
	assert_int_equal(names_in_dir(), 0);
}

static void a_missing_directory_matters_only_beyond_the_memory(void **state)
{
	struct spool *s = spool_new("/nonexistent/spool", 100);
	char p[60] = { 0 };

	(void)state;
	assert_true(spool_put(s, span_make(p, sizeof(p))));
	assert_false(spool_put(s, span_make(p, sizeof(p))));
	assert_non_null(strstr(spool_why(s), "/nonexistent/spool"));
	assert_non_null(strstr(spool_why(s), "No such file"));
	spool_free(&s);
}

static void a_full_disk_is_told_and_sticks(void **state)
{
	struct spool *s = fill(100, 4000, 1000);
	struct rlimit old, small = { 8000, 8000 };
	char p[4096] = { 0 };

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small.rlim_max = old.rlim_max;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_true(spool_put(s, span_make(p, sizeof(p))));
	assert_false(spool_put(s, span_make(p, sizeof(p))));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_false(spool_put(s, span_make(p, 1)));
	assert_non_null(strstr(spool_why(s), "cannot write"));
	spool_free(&s);
}

static void freeing_none_is_allowed(void **state)
{
	struct spool *s = NULL;

	(void)state;
	spool_free(&s);
	assert_null(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_put_is_read_at_every_offset),
		cmocka_unit_test(the_file_has_no_name),
		cmocka_unit_test(
			a_missing_directory_matters_only_beyond_the_memory),
		cmocka_unit_test(a_full_disk_is_told_and_sticks),
		cmocka_unit_test(freeing_none_is_allowed),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
