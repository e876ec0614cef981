/* Limits: what fits, when it frees, and what a reader is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/limit.h"

enum { NOW = 1000000 };

static struct limit_row row_of(uint64_t messages, uint64_t recipients,
			       uint64_t octets)
{
	return (struct limit_row){ .subject = SPAN_LIT("*"),
				   .seconds = 3600,
				   .has_messages = messages != UINT64_MAX,
				   .has_recipients = recipients != UINT64_MAX,
				   .has_octets = octets != UINT64_MAX,
				   .messages = messages,
				   .recipients = recipients,
				   .octets = octets };
}

static struct limit_usage usage_of(int64_t age, uint64_t messages,
				   uint64_t recipients, uint64_t octets)
{
	return (struct limit_usage){ .started_at = NOW - age,
				     .used = { messages, recipients, octets } };
}

static struct limit_state look(struct limit_row r, struct limit_usage u,
			       uint64_t messages, uint64_t recipients,
			       uint64_t octets)
{
	const struct limit_amount add = { messages, recipients, octets };

	return limit_look(&r, &u, &add, NOW);
}

static void the_last_one_fits_and_the_next_does_not(void **state)
{
	struct limit_row r = row_of(10, UINT64_MAX, UINT64_MAX);
	struct limit_state s;

	(void)state;
	s = look(r, usage_of(60, 9, 900, 1 << 30), 1, 50, 1 << 30);
	assert_int_equal(s.fit, LIMIT_FITS);
	s = look(r, usage_of(60, 10, 0, 0), 1, 1, 1);
	assert_int_equal(s.fit, LIMIT_LATER);
	assert_int_equal(s.what, LIMIT_MESSAGES);
	assert_int_equal(s.most, 10);
	assert_int_equal(s.frees_at, NOW - 60 + 3600);
}

static void each_count_is_held_alone(void **state)
{
	struct limit_row r = row_of(10, 20, 1000);

	(void)state;
	assert_int_equal(look(r, usage_of(1, 9, 19, 999), 1, 1, 1).fit,
			 LIMIT_FITS);
	assert_int_equal(look(r, usage_of(1, 10, 0, 0), 1, 1, 1).what,
			 LIMIT_MESSAGES);
	assert_int_equal(look(r, usage_of(1, 1, 19, 0), 1, 2, 1).what,
			 LIMIT_RECIPIENTS);
	assert_int_equal(look(r, usage_of(1, 1, 1, 999), 1, 1, 2).what,
			 LIMIT_OCTETS);
}

static void what_can_never_fit_is_told_from_what_fits_later(void **state)
{
	struct limit_row r = row_of(10, 20, 1000);
	struct limit_state s = look(r, usage_of(1, 10, 0, 0), 1, 1, 1001);

	(void)state;
	assert_int_equal(s.fit, LIMIT_NEVER);
	assert_int_equal(s.what, LIMIT_OCTETS);
	assert_int_equal(
		look(row_of(0, 5, 5), usage_of(1, 0, 0, 0), 1, 1, 1).fit,
		LIMIT_NEVER);
}

static void numbers_do_not_wrap(void **state)
{
	struct limit_row r = row_of(UINT64_MAX, UINT64_MAX, UINT64_MAX - 1);
	struct limit_usage u = usage_of(1, 5, 5, UINT64_MAX - 1);

	(void)state;
	assert_int_equal(look(r, u, 1, 1, 1).fit, LIMIT_LATER);
	assert_int_equal(look(r, u, 1, 1, 0).fit, LIMIT_FITS);
	r.has_octets = false;
	assert_int_equal(look(r, u, 1, 1, UINT64_MAX - 1).fit, LIMIT_LATER);
}

static void a_window_that_is_over_counts_nothing(void **state)
{
	struct limit_row r = row_of(10, UINT64_MAX, UINT64_MAX);
	struct limit_usage never = { 0 };

	(void)state;
	assert_int_equal(look(r, usage_of(3599, 10, 0, 0), 1, 1, 1).fit,
			 LIMIT_LATER);
	assert_int_equal(look(r, usage_of(3600, 10, 0, 0), 1, 1, 1).fit,
			 LIMIT_FITS);
	assert_int_equal(look(r, never, 1, 1, 1).fit, LIMIT_FITS);
	/* another node's clock may be ahead, but not by years */
	assert_int_equal(look(r, usage_of(-5, 10, 0, 0), 1, 1, 1).fit,
			 LIMIT_LATER);
	assert_int_equal(look(r, usage_of(-86400, 10, 0, 0), 1, 1, 1).fit,
			 LIMIT_FITS);
}

static void near_is_a_part_rounded_up(void **state)
{
	struct limit_row r = row_of(10, 11, UINT64_MAX);
	struct limit_amount n = limit_near(&r, 80);

	(void)state;
	assert_int_equal(n.messages, 8);
	assert_int_equal(n.recipients, 9);
	assert_true(n.octets == UINT64_MAX);
	assert_true(limit_near(&r, 0).messages == UINT64_MAX);
	r = row_of(UINT64_MAX - 1, 1, 1);
	assert_true(limit_near(&r, 100).messages == UINT64_MAX - 1);
	assert_int_equal(limit_near(&r, 1).recipients, 1);
}

static void a_row_of_a_domain_counts_the_domain(void **state)
{
	struct limit_row r = row_of(1, 1, 1);
	struct addr a;

	(void)state;
	assert_int_equal(addr_parse(SPAN_LIT("bob@example.org"), true, &a),
			 ADDR_OK);
	assert_true(span_is(limit_subject(&r, &a), "bob@example.org"));
	r.subject = SPAN_LIT("bob@example.org");
	assert_true(span_is(limit_subject(&r, &a), "bob@example.org"));
	r.subject = SPAN_LIT("@*");
	assert_true(span_is(limit_subject(&r, &a), "@example.org"));
	r.subject = SPAN_LIT("@example.org");
	assert_true(span_is(limit_subject(&r, &a), "@example.org"));
}

static void assert_time(uint64_t seconds, const char *text)
{
	struct buf b = BUF_INIT(100);

	limit_put_time(&b, seconds);
	assert_string_equal(buf_cstr(&b), text);
	buf_release(&b);
}

static void times_are_told_in_their_largest_unit(void **state)
{
	(void)state;
	assert_time(60, "1 minute");
	assert_time(90, "90 seconds");
	assert_time(5400, "90 minutes");
	assert_time(3600, "1 hour");
	assert_time(86400, "1 day");
	assert_time(2678400, "31 days");
	assert_time(1, "1 second");
	assert_time(0, "0 seconds");
}

static void assert_state(enum limit_fit fit, const char *text)
{
	struct limit_row r = row_of(10, UINT64_MAX, UINT64_MAX);
	struct limit_state s = { .fit = fit,
				 .what = LIMIT_MESSAGES,
				 .most = 10,
				 .frees_at = 1795839061 };
	struct buf b = BUF_INIT(200);

	r.seconds = 86400;
	limit_put_state(&b, &r, &s);
	assert_string_equal(buf_cstr(&b), text);
	buf_release(&b);
}

static void a_reader_is_told_when_it_frees(void **state)
{
	(void)state;
	assert_state(LIMIT_LATER, "10 messages in 1 day, free again at Sat, 28 "
				  "Nov 2026 04:12:00 +0000");
	assert_state(LIMIT_NEVER, "10 messages in 1 day, less than this mail");
}

static void names_are_those_of_the_tables(void **state)
{
	(void)state;
	assert_string_equal(limit_direction_name(LIMIT_OUT), "out");
	assert_string_equal(limit_direction_name(LIMIT_IN), "in");
	assert_string_equal(limit_what_name(LIMIT_RECIPIENTS), "recipients");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_one_fits_and_the_next_does_not),
		cmocka_unit_test(each_count_is_held_alone),
		cmocka_unit_test(
			what_can_never_fit_is_told_from_what_fits_later),
		cmocka_unit_test(numbers_do_not_wrap),
		cmocka_unit_test(a_window_that_is_over_counts_nothing),
		cmocka_unit_test(near_is_a_part_rounded_up),
		cmocka_unit_test(a_row_of_a_domain_counts_the_domain),
		cmocka_unit_test(times_are_told_in_their_largest_unit),
		cmocka_unit_test(a_reader_is_told_when_it_frees),
		cmocka_unit_test(names_are_those_of_the_tables),
	};

	return cmocka_run_group_tests_name("limit", tests, NULL, NULL);
}
