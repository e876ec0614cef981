/* tests/unit/test_conf.c: conf.c, conftype.c and confshow.c. */
#include "lib/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "lib/conftype.h"
#include "tests/unit/nomem.h"

#define ROWS(a) (sizeof(a) / sizeof(*(a)))

enum { TEXT_MAX = 1 << 20 };

static struct conf *parse(const char *text, struct buf *problems)
{
	struct conf_source src = { "m.conf", span_of(text) };

	return conf_parse(&src, 1, problems);
}

static struct conf *parse_good(const char *text)
{
	struct buf problems = BUF_INIT(TEXT_MAX);
	struct conf *c = parse(text, &problems);

	assert_string_equal(buf_cstr(&problems), "");
	assert_non_null(c);
	buf_release(&problems);
	return c;
}

static void assert_problems(struct span text, const char *expected)
{
	struct conf_source src = { "m.conf", text };
	struct buf problems = BUF_INIT(TEXT_MAX);

	assert_null(conf_parse(&src, 1, &problems));
	assert_true(buf_ok(&problems));
	assert_string_equal(buf_cstr(&problems), expected);
	buf_release(&problems);
}

static void the_defaults_are_right_by_themselves(void **state)
{
	struct conf *c = parse_good("");

	(void)state;
	assert_string_equal(c->log_to, "syslog");
	assert_false(c->log_debug);
	assert_true(c->fold_local_part);
	assert_string_equal(c->hostname, "");
	assert_int_equal(c->mta_domains.n, 0);
	assert_int_equal(c->trusted_networks.n, 0);
	assert_int_equal(c->deliver_connections, 8);
	assert_int_equal(c->spool_memory, 1024 * 1024);
	assert_int_equal(c->idle_timeout, 600000);
	assert_int_equal(c->pop3_listen.n, 2);
	assert_string_equal(c->pop3_listen.word[1], "[::]:110");
	conf_unref(&c);
	assert_null(c);
}

static void every_row_of_the_table_is_complete(void **state)
{
	(void)state;
	assert_null(conf_options[0].key); /* a section comes first */
	for (size_t i = 0; i < CONF_ROWS; i++) {
		const struct conf_option *o = &conf_options[i];

		assert_true(o->help && o->help[0]);
		if (!o->key)
			continue;
		assert_true(strlen(o->key) <= 32);
		assert_int_not_equal(o->programs & PROG_ALL, 0);
		assert_true(o->flags == CF_RELOAD || o->flags == CF_RESTART);
		assert_int_equal(o->words != NULL, o->type == CONF_ENUM);
		if (o->type == CONF_UINT || o->type == CONF_SIZE ||
		    o->type == CONF_TIME)
			assert_true(o->min < o->max && o->max <= INT64_MAX);
	}
}

static void values_of_every_type_are_read(void **state)
{
	struct conf *c = parse_good("# comment\r\n"
				    "log_to=stderr\r\n"
				    "\t# an indented comment\n"
				    "hostname =  mx 1 = #x  \n"
				    "spool_dir\t= /tmp\n"
				    "log_debug = yes\n"
				    "auth_workers = 64\n"
				    "keeper_buffer = 4G\n"
				    "login_timeout = 5000ms\n"
				    "mta_domains = a.org,b.org , c.org\n"
				    "trusted_networks = 192.0.2.0/24 [::1]");

	(void)state;
	assert_string_equal(c->log_to, "stderr");
	assert_string_equal(c->hostname, "mx 1 = #x");
	assert_string_equal(c->spool_dir, "/tmp");
	assert_true(c->log_debug);
	assert_int_equal(c->auth_workers, 64);
	assert_true(c->keeper_buffer == 4294967296);
	assert_int_equal(c->login_timeout, 5000);
	assert_int_equal(c->mta_domains.n, 3);
	assert_string_equal(c->mta_domains.word[2], "c.org");
	assert_null(c->mta_domains.word[3]);
	assert_true(conf_list_has(&c->mta_domains, SPAN_LIT("b.org")));
	assert_false(conf_list_has(&c->mta_domains, SPAN_LIT("b.or")));
	assert_int_equal(c->trusted_networks.n, 2);
	assert_int_equal(c->trusted_networks.net[0].bits, 120);
	conf_unref(&c);
}

static void a_leading_blank_continues_a_value(void **state)
{
	struct conf *c = parse_good("mta_domains =\n"
				    "\ta.org\n"
				    "# b.org\n"
				    "  # c.org\n"
				    "    d.org   \n"
				    "\n"
				    "hostname = mx\n"
				    "  1\n"
				    "profile\n"
				    " = x\n");

	(void)state;
	assert_int_equal(c->mta_domains.n, 2);
	assert_string_equal(c->mta_domains.word[1], "d.org");
	assert_string_equal(c->hostname, "mx 1");
	assert_string_equal(c->profile, "x");
	conf_unref(&c);
}

static void a_mistake_tells_where_and_what_is_allowed(void **state)
{
	static const struct {
		const char *text, *problems;
	} row[] = {
		{ "idle_timout = 10m",
		  "m.conf:1: unknown option 'idle_timout'; did you mean "
		  "'idle_timeout'?\n" },
		{ "smtp_helo = 1",
		  "m.conf:1: unknown option 'smtp_helo'; mailrow.conf(5) "
		  "lists all\n" },
		{ " = 1", "m.conf:1: a leading blank, but no value to "
			  "continue; allowed: an option at the beginning of "
			  "its line\n" },
		{ "= 1",
		  "m.conf:1: unknown option ''; mailrow.conf(5) lists all\n" },
		{ "hostname mx",
		  "m.conf:1: no '='; allowed: key = value, # comment, and a "
		  "leading blank to continue a value\n" },
		{ "hostname = a\n\nhostname = b",
		  "m.conf:3: hostname is set again; allowed: once a file, and "
		  "line 1 has it\n" },
		{ "idle_timeout = 5m",
		  "m.conf:1: idle_timeout: '5m' is out of range; allowed: "
		  "10m to 1d\n" },
		{ "auth_failure_delay = 6s",
		  "m.conf:1: auth_failure_delay: '6s' is out of range; "
		  "allowed: 0s to 5s\n" },
		{ "idle_timeout = 600",
		  "m.conf:1: idle_timeout: '600' is not a time with its unit "
		  "(ms, s, m, h or d); allowed: 10m to 1d\n" },
		{ "idle_timeout = 10 m",
		  "m.conf:1: idle_timeout: '10 m' is not a time with its unit "
		  "(ms, s, m, h or d); allowed: 10m to 1d\n" },
		{ "spool_memory = 1k",
		  "m.conf:1: spool_memory: '1k' is not a number of octets "
		  "(suffix K, M or G); allowed: 4K to 16M\n" },
		{ "spool_memory = 17M",
		  "m.conf:1: spool_memory: '17M' is out of range; allowed: "
		  "4K to 16M\n" },
		{ "keeper_buffer = 17179869184G",
		  "m.conf:1: keeper_buffer: '17179869184G' is out of range; "
		  "allowed: 1M to 4G\n" },
		{ "auth_failure_delay = 18446744073709551616d",
		  "m.conf:1: auth_failure_delay: '18446744073709551616d' is "
		  "out of range; allowed: 0s to 5s\n" },
		{ "auth_workers = 0",
		  "m.conf:1: auth_workers: '0' is out of range; allowed: "
		  "1 to 64\n" },
		{ "auth_workers = -1",
		  "m.conf:1: auth_workers: '-1' is not a number; allowed: "
		  "1 to 64\n" },
		{ "auth_workers =",
		  "m.conf:1: auth_workers: '' is not a number; allowed: "
		  "1 to 64\n" },
		{ "log_debug = true",
		  "m.conf:1: log_debug: 'true' is not yes or no; allowed: "
		  "yes or no\n" },
		{ "log_to = file",
		  "m.conf:1: log_to: 'file' is not one of its words; allowed: "
		  "syslog or stderr\n" },
		{ "log_to = syslog|stderr",
		  "m.conf:1: log_to: 'syslog|stderr' is not one of its words; "
		  "allowed: syslog or stderr\n" },
		{ "spool_dir = spool",
		  "m.conf:1: spool_dir: 'spool' is not an absolute path; "
		  "allowed: a path that begins with /\n" },
		{ "trusted_networks = 192.0.2.0/24\n 192.0.2.1/24",
		  "m.conf:1: trusted_networks: '192.0.2.1/24' is not an "
		  "address or network; allowed: 192.0.2.1, 192.0.2.0/24, "
		  "2001:db8::/32 ... with no bit set behind the prefix\n" },
		{ "hostname = mx\xe4",
		  "m.conf:1: not valid UTF-8; allowed: text in UTF-8\n" },
		{ "hostname = a\n b\rc",
		  "m.conf:2: control character; allowed: text in UTF-8\n" },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(row); i++)
		assert_problems(span_of(row[i].text), row[i].problems);
	assert_problems(SPAN_LIT("hostname = a\0b"),
			"m.conf:1: NUL octet; allowed: text in UTF-8\n");
}

static void what_a_message_quotes_is_escaped_and_bounded(void **state)
{
	struct buf text = BUF_INIT(1000), problems = BUF_INIT(TEXT_MAX);

	(void)state;
	buf_puts(&text, "<\xc3\xbc");
	for (size_t i = 0; i < 200; i++)
		buf_putc(&text, 'k');
	buf_puts(&text, " = 1\n");
	assert_null(parse(buf_cstr(&text), &problems));
	assert_non_null(strstr(buf_cstr(&problems), "'\\x3c\\xc3\\xbckkk"));
	assert_non_null(strstr(buf_cstr(&problems), "kkk...';"));
	assert_true(problems.n < 200);
	buf_release(&text);
	buf_release(&problems);
}

static void all_mistakes_of_all_files_are_told(void **state)
{
	struct conf_source src[] = {
		{ "a", SPAN_LIT("log_to = x\nfoo\n  bar\n baz\nprofil = 1\n") },
		{ "b", SPAN_LIT("hostname = mx\n") },
		{ "c", SPAN_LIT("hostname = mx\n\n more\n more\n"
				"log_debug = 1") },
	};
	struct buf problems = BUF_INIT(TEXT_MAX);

	(void)state;
	assert_null(conf_parse(src, ROWS(src), &problems));
	assert_string_equal(
		buf_cstr(&problems),
		"a:1: log_to: 'x' is not one of its words; allowed: syslog or "
		"stderr\n"
		"a:2: no '='; allowed: key = value, # comment, and a leading "
		"blank to continue a value\n"
		"a:5: unknown option 'profil'; did you mean 'profile'?\n"
		"c:3: a leading blank, but no value to continue; allowed: an "
		"option at the beginning of its line\n"
		"c:5: log_debug: '1' is not yes or no; allowed: yes or no\n");
	buf_release(&problems);
}

static void a_later_file_overrides_an_earlier_one(void **state)
{
	struct conf_source src[] = {
		{ "a", SPAN_LIT("hostname = one\nmta_domains = x y\n") },
		{ "b", SPAN_LIT("\nhostname = two\nmta_domains =\n") },
	};
	struct buf problems = BUF_INIT(TEXT_MAX), out = BUF_INIT(TEXT_MAX);
	struct conf *c = conf_parse(src, ROWS(src), &problems);

	(void)state;
	assert_non_null(c);
	assert_string_equal(c->hostname, "two");
	assert_int_equal(c->mta_domains.n, 0);
	conf_show(c, PROG_ALL, true, &out);
	assert_string_equal(buf_cstr(&out), "# b:2\nhostname = two\n"
					    "# b:3\nmta_domains =\n");
	conf_unref(&c);
	buf_release(&out);
}

static void show_tells_only_the_options_of_the_program(void **state)
{
	struct buf out = BUF_INIT(TEXT_MAX);
	struct conf *c = parse_good("");

	(void)state;
	conf_show(c, PROG_AUTHD, false, &out);
	assert_non_null(strstr(buf_cstr(&out), "\nauth_timeout = 8s\n"));
	assert_non_null(strstr(buf_cstr(&out), "log_to = syslog\n"));
	assert_null(strstr(buf_cstr(&out), "milter_socket"));
	buf_reset(&out);
	conf_show(c, PROG_ALL, true, &out);
	assert_int_equal(out.n, 0);
	buf_release(&out);
	conf_unref(&c);
}

/* What conf_show() writes about text. */
static void shown(const char *text, struct buf *out)
{
	struct conf *c = parse_good(text);

	buf_reset(out);
	conf_show(c, PROG_ALL, false, out);
	assert_true(buf_ok(out));
	conf_unref(&c);
}

static void what_is_shown_is_read_back_the_same(void **state)
{
	static const char *const texts[] = {
		"",
		"hostname = a  b\tc = # \xc3\xbc\nrecipient_delimiter = #\n"
		"mta_domains = ,a,,b ,\nspool_memory = 4097\n"
		"auth_failure_delay = 0s\ndb_timeout = 1001ms\n"
		"receipt_window = 25h\nkeeper_buffer = 1048576\n"
		"trusted_networks = [::1] 10.0.0.0/8,0.0.0.0/0 ::/0\n",
	};
	struct buf first = BUF_INIT(TEXT_MAX), second = BUF_INIT(TEXT_MAX);

	(void)state;
	for (size_t i = 0; i < ROWS(texts); i++) {
		shown(texts[i], &first);
		shown(buf_cstr(&first), &second);
		assert_string_equal(buf_cstr(&first), buf_cstr(&second));
	}
	buf_release(&first);
	buf_release(&second);
}

static void numbers_are_shown_in_the_largest_exact_unit(void **state)
{
	static const struct {
		const char *in, *out;
	} row[] = {
		{ "idle_timeout = 600s", "\nidle_timeout = 10m\n" },
		{ "idle_timeout = 601s", "\nidle_timeout = 601s\n" },
		{ "idle_timeout = 24h", "\nidle_timeout = 1d\n" },
		{ "db_timeout = 1500ms", "\ndb_timeout = 1500ms\n" },
		{ "auth_failure_delay = 0d", "\nauth_failure_delay = 0s\n" },
		{ "spool_memory = 1024K", "\nspool_memory = 1M\n" },
		{ "spool_memory = 4097", "\nspool_memory = 4097\n" },
		{ "keeper_buffer = 1024M", "\nkeeper_buffer = 1G\n" },
	};
	struct buf out = BUF_INIT(TEXT_MAX);

	(void)state;
	for (size_t i = 0; i < ROWS(row); i++) {
		shown(row[i].in, &out);
		assert_non_null(strstr(buf_cstr(&out), row[i].out));
	}
	buf_release(&out);
}

/* The example with its options no longer commented out. */
static void uncomment(const char *text, struct buf *out)
{
	struct span line, rest = span_of(text);

	while (rest.n) {
		(void)span_cut(rest, '\n', &line, &rest);
		if (line.n > 1 && line.p[0] == '#' && line.p[1] != ' ')
			line = span_skip(line, 1);
		assert_true(line.n < 80 || line.p[0] != '#');
		buf_put_span(out, line);
		buf_putc(out, '\n');
	}
}

static void the_example_is_the_defaults(void **state)
{
	struct buf example = BUF_INIT(TEXT_MAX), text = BUF_INIT(TEXT_MAX),
		   from_example = BUF_INIT(TEXT_MAX),
		   from_defaults = BUF_INIT(TEXT_MAX);
	struct conf *c;

	(void)state;
	conf_put_example(&example);
	assert_true(buf_ok(&example));
	c = parse_good(buf_cstr(&example)); /* nothing but comments */
	conf_show(c, PROG_ALL, true, &text);
	assert_int_equal(text.n, 0);
	conf_unref(&c);
	uncomment(buf_cstr(&example), &text);
	c = parse_good(buf_cstr(&text));
	for (size_t i = 0; i < CONF_ROWS; i++)
		assert_int_equal(c->priv->origin[i].line != 0,
				 conf_options[i].key != NULL);
	conf_unref(&c);
	shown(buf_cstr(&text), &from_example);
	shown("", &from_defaults);
	assert_string_equal(buf_cstr(&from_example), buf_cstr(&from_defaults));
	buf_release(&example);
	buf_release(&text);
	buf_release(&from_example);
	buf_release(&from_defaults);
}

static void the_manual_has_every_option(void **state)
{
	struct buf out = BUF_INIT(TEXT_MAX), item = BUF_INIT(100);

	(void)state;
	conf_put_mdoc(&out);
	assert_true(buf_ok(&out));
	for (size_t i = 0; i < CONF_ROWS; i++) {
		if (!conf_options[i].key)
			continue;
		buf_reset(&item);
		buf_printf(&item, "\n.It Ic %s\n", conf_options[i].key);
		assert_non_null(strstr(buf_cstr(&out), buf_cstr(&item)));
	}
	assert_non_null(strstr(buf_cstr(&out), "10m to 1d"));
	buf_release(&out);
	buf_release(&item);
}

static void the_last_reference_frees(void **state)
{
	struct conf *a = parse_good("hostname = x"), *b = conf_ref(a);

	(void)state;
	conf_unref(&a);
	assert_null(a);
	assert_string_equal(b->hostname, "x");
	conf_unref(&b);
	conf_unref(&b); /* nothing there: nothing to do */
	assert_null(b);
}

static void too_many_mistakes_are_a_failure_too(void **state)
{
	struct buf problems = BUF_INIT(20);

	(void)state;
	assert_null(parse("log_to = x\nlog_debug = x\n", &problems));
	assert_false(buf_ok(&problems));
	buf_release(&problems);
}

static void no_memory_at_any_place_gives_no_configuration(void **state)
{
	static const char text[] = "hostname = a\n b\nmta_domains = a b\n"
				   "trusted_networks = ::1\nlog_debug = yes\n";
	struct conf *c = NULL;
	long failures = -1;

	(void)state;
	while (!c) {
		struct buf problems = BUF_INIT(TEXT_MAX);

		nomem_at = ++failures;
		c = parse(text, &problems);
		nomem_at = -1;
		assert_int_equal(c != NULL, buf_ok(&problems));
		buf_release(&problems);
	}
	assert_true(failures > 20);
	assert_string_equal(c->hostname, "a b");
	conf_unref(&c);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_defaults_are_right_by_themselves),
		cmocka_unit_test(every_row_of_the_table_is_complete),
		cmocka_unit_test(values_of_every_type_are_read),
		cmocka_unit_test(a_leading_blank_continues_a_value),
		cmocka_unit_test(a_mistake_tells_where_and_what_is_allowed),
		cmocka_unit_test(what_a_message_quotes_is_escaped_and_bounded),
		cmocka_unit_test(all_mistakes_of_all_files_are_told),
		cmocka_unit_test(a_later_file_overrides_an_earlier_one),
		cmocka_unit_test(show_tells_only_the_options_of_the_program),
		cmocka_unit_test(what_is_shown_is_read_back_the_same),
		cmocka_unit_test(numbers_are_shown_in_the_largest_exact_unit),
		cmocka_unit_test(the_example_is_the_defaults),
		cmocka_unit_test(the_manual_has_every_option),
		cmocka_unit_test(the_last_reference_frees),
		cmocka_unit_test(too_many_mistakes_are_a_failure_too),
		cmocka_unit_test(no_memory_at_any_place_gives_no_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
