/* tests/unit/test_expand.c: where recipients lead, in little worlds. */
#include "tests/unit/wire.h"

#include <stdlib.h>

#include "tests/unit/expandrows.h"
#include "tests/unit/nomem.h"
#include "tests/unit/world.h"

void *__real_reallocarray(void *p, size_t n, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);

void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return nomem_now() ? NULL : __real_reallocarray(p, n, size);
}

static const char *kind_text(enum expand_kind k)
{
	switch (k) {
	case EXPAND_MAILBOX:
		return "box:";
	case EXPAND_FOREIGN:
		return "foreign:";
	case EXPAND_UNKNOWN:
		return "unknown:";
	case EXPAND_DOMAIN_OFF:
		return "off:";
	case EXPAND_BAD:
		return "bad:";
	}
	return "";
}

static const char *end_text(enum expand_step s)
{
	switch (s) {
	case EXPAND_TEMP:
		return TEMP;
	case EXPAND_TOO_FAR:
		return TOO_FAR;
	case EXPAND_NO_MEMORY:
		return "end:no-memory\n";
	case EXPAND_DONE:
	case EXPAND_ASK_DOMAIN:
	case EXPAND_ASK_ALIAS:
	case EXPAND_ASK_MAILBOX:
		break;
	}
	return "";
}

/* The address is one by itself, and the answer is the one about it. */
static void assert_sound(const struct world_walk *k,
			 const struct expand_target *t)
{
	struct addr again;

	assert_int_equal(addr_parse(addr_span(&t->address), false, &again),
			 ADDR_OK);
	assert_text(addr_span(&t->address), addr_span(&again));
	assert_int_equal(t->address.at, again.at);
	assert_int_equal(t->address.text[t->address.n], '\0');
	if (t->kind != EXPAND_MAILBOX)
		return;
	assert_true(t->answer < k->mailboxes);
	assert_int_equal(k->answer[t->answer].known, F_YES);
	assert_text(addr_span(&k->answer[t->answer].key),
		    addr_span(&t->address));
}

static void put_result(const struct world_walk *k, struct buf *out)
{
	const struct expand_target *t;
	size_t n;

	buf_puts(out, end_text(k->end));
	if (k->end != EXPAND_DONE)
		return;
	t = expand_targets(k->e, &n);
	for (size_t i = 0; i < n; i++) {
		assert_sound(k, &t[i]);
		buf_puts(out, kind_text(t[i].kind));
		buf_put_span(out, addr_span(&t[i].address));
		buf_putc(out, '\n');
	}
}

static struct addr address(const char *text)
{
	struct addr a;

	if (addr_parse(span_of(text), false, &a) != ADDR_OK)
		fail_msg("\"%s\" is no address", text);
	return a;
}

/* One walk; the targets as text. */
static enum expand_step expand(const struct world *w, const char *rcpt,
			       struct world_walk *k, struct buf *out)
{
	struct addr a = address(rcpt);

	buf_reset(out);
	world_walk(w, &a, k);
	put_result(k, out);
	expand_free(&k->e);
	assert_null(k->e);
	return k->end;
}

static struct world_walk walk = { .temp_at = SIZE_MAX };

static void assert_world_expands(const struct world *w, const char *rcpt,
				 const char *want)
{
	struct buf got = BUF_INIT(1 << 20);

	(void)expand(w, rcpt, &walk, &got);
	if (!buf_ok(&got) || !span_is(buf_span(&got), want))
		fail_msg("%s: got\n%swant\n%s", rcpt, buf_cstr(&got), want);
	buf_release(&got);
}

static void read_world(struct world *w, const char *text)
{
	*w = (struct world){ .delimiters = "+" };
	if (!world_read(w, text))
		fail_msg("no world: %s", text);
}

static void assert_rows(const struct row *row, size_t n)
{
	struct world w;

	for (size_t i = 0; i < n; i++) {
		read_world(&w, row[i].world);
		assert_world_expands(&w, row[i].rcpt, row[i].want);
	}
}

static void an_address_is_foreign_or_known_or_not(void **state)
{
	(void)state;
	assert_rows(plain, COUNT(plain));
}

static void an_alias_leads_to_all_its_targets(void **state)
{
	(void)state;
	assert_rows(aliases, COUNT(aliases));
}

static void each_mailbox_and_each_foreign_address_stands_once(void **state)
{
	(void)state;
	assert_rows(duplicates, COUNT(duplicates));
}

static void an_extension_is_dropped_or_handed_on(void **state)
{
	(void)state;
	assert_rows(extensions, COUNT(extensions));
}

static void a_list_is_split_at_commas_blanks_and_line_ends(void **state)
{
	static const char *const lists[] = {
		"x@f.test,y@f.test",          "x@f.test y@f.test",
		"x@f.test\ty@f.test",         "x@f.test\ny@f.test",
		"x@f.test\ry@f.test",         "x@f.test\r\ny@f.test\r\n",
		" ,\n, x@f.test ,, y@f.test", ",x@f.test,y@f.test,",
	};
	struct world w;

	(void)state;
	read_world(&w, DOMAINS);
	for (size_t i = 0; i < COUNT(lists); i++) {
		w.row[w.n] = (struct world_row){ .kind = WORLD_ALIAS,
						 .key = SPAN_LIT("l@a.test"),
						 .text = span_of(lists[i]),
						 .there = F_YES };
		w.n++;
		assert_world_expands(&w, "l@a.test",
				     FOREIGN("x@f.test") FOREIGN("y@f.test"));
		w.n--;
	}
}

static void delimiters_are_those_that_are_set(void **state)
{
	struct world w;

	(void)state;
	read_world(&w, SITE);
	w.delimiters = "";
	assert_world_expands(&w, "bob+x@a.test", UNKNOWN("bob+x@a.test"));
	w.delimiters = "-+";
	assert_world_expands(&w, "bob+x@a.test", BOX("bob@a.test"));
	assert_world_expands(&w, "bob-x@a.test", BOX("bob@a.test"));
	w.delimiters = "-";
	assert_world_expands(&w, "bob+x@a.test", UNKNOWN("bob+x@a.test"));
}

static void local_parts_of_targets_are_folded_when_asked(void **state)
{
	struct world w;

	(void)state;
	read_world(&w, DOMAINS "mailbox bob@a.test\n"
			       "alias l@a.test BOB@a.test,\xc3\x84X@F.test\n"
			       "alias bob@a.test Bob@A.test");
	w.fold = true;
	assert_world_expands(&w, "l@a.test",
			     BOX("bob@a.test") FOREIGN("\xc3\x84x@f.test"));
	assert_world_expands(&w, "bob@a.test", BOX("bob@a.test"));
	w.fold = false;
	assert_world_expands(&w, "l@a.test",
			     UNKNOWN("BOB@a.test") FOREIGN("\xc3\x84X@f.test"));
	assert_world_expands(&w, "bob@a.test", UNKNOWN("Bob@a.test"));
}

static void a_domain_may_stand_for_another(void **state)
{
	(void)state;
	assert_rows(other_domains, COUNT(other_domains));
}

static void at_most_five_domains_stand_for_one_another(void **state)
{
	(void)state;
	assert_int_equal(EXPAND_CHAIN_MAX, 5);
	assert_rows(chains, COUNT(chains));
}

static void a_catch_all_takes_what_nothing_else_does(void **state)
{
	(void)state;
	assert_rows(catch_alls, COUNT(catch_alls));
}

static void a_circle_ends_and_is_an_error_if_it_is_all(void **state)
{
	(void)state;
	assert_rows(circles, COUNT(circles));
}

static void a_target_that_is_no_address_is_told(void **state)
{
	(void)state;
	assert_rows(bad_targets, COUNT(bad_targets));
}

/* Depth and number. */

/* 0@a.test leads to 1@a.test and so on up to N@a.test. */
static void put_staircase(struct buf *b, unsigned n)
{
	buf_puts(b, SITE);
	for (unsigned i = 0; i < n; i++)
		buf_printf(b, "alias %u@a.test %u@a.test\n", i, i + 1);
}

static void ten_aliases_are_followed_and_eleven_are_not(void **state)
{
	struct buf b = BUF_INIT(1 << 16);
	struct world w;

	(void)state;
	put_staircase(&b, EXPAND_DEPTH_MAX);
	buf_puts(&b, "mailbox 10@a.test\nalias 10@a.test 10@a.test\n");
	read_world(&w, buf_cstr(&b));
	assert_world_expands(&w, "0@a.test", BOX("10@a.test"));
	buf_reset(&b);
	put_staircase(&b, EXPAND_DEPTH_MAX + 1);
	buf_puts(&b, "mailbox 11@a.test\n");
	read_world(&w, buf_cstr(&b));
	assert_world_expands(&w, "0@a.test", TOO_FAR);
	assert_world_expands(&w, "1@a.test", BOX("11@a.test"));
	/* one way too deep is one too many, whatever the others are */
	buf_puts(&b, "alias 5@a.test bob@a.test\n");
	read_world(&w, buf_cstr(&b));
	assert_world_expands(&w, "0@a.test", TOO_FAR);
	assert_world_expands(&w, "1@a.test",
			     BOX("bob@a.test") BOX("11@a.test"));
	/* the shortest way to an address counts */
	buf_puts(&b, "alias 0@a.test 10@a.test\n");
	read_world(&w, buf_cstr(&b));
	assert_world_expands(&w, "0@a.test",
			     BOX("11@a.test") BOX("bob@a.test"));
	buf_release(&b);
}

static void put_many(struct buf *b, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		buf_printf(b, "%u@f.test,", i);
}

static void assert_ends(struct buf *world, enum expand_step end, size_t want)
{
	struct addr a = address("l@a.test");
	struct world w;
	size_t n;

	read_world(&w, buf_cstr(world));
	world_walk(&w, &a, &walk);
	assert_int_equal(walk.end, end);
	(void)expand_targets(walk.e, &n);
	if (end == EXPAND_DONE)
		assert_int_equal(n, want);
	expand_free(&walk.e);
	buf_release(world);
}

static void a_thousand_targets_are_followed_and_not_one_more(void **state)
{
	struct buf b = BUF_INIT(1 << 16);

	(void)state;
	assert_int_equal(EXPAND_TARGETS_MAX, 1000);
	buf_puts(&b, DOMAINS "alias l@a.test ");
	put_many(&b, 0, 1000);
	put_many(&b, 0, 1000);
	assert_ends(&b, EXPAND_DONE, 1000);
	buf_puts(&b, DOMAINS "alias l@a.test ");
	put_many(&b, 0, 1001);
	assert_ends(&b, EXPAND_TOO_FAR, 0);
}

static void targets_of_all_aliases_are_counted_together(void **state)
{
	struct buf b = BUF_INIT(1 << 16);

	(void)state;
	buf_puts(&b, DOMAINS "alias m@a.test ");
	put_many(&b, 500, 1000);
	buf_puts(&b, "\nalias l@a.test m@a.test,");
	put_many(&b, 0, 499);
	assert_ends(&b, EXPAND_DONE, 999);
	buf_puts(&b, DOMAINS "alias m@a.test ");
	put_many(&b, 500, 1000);
	buf_puts(&b, "\nalias l@a.test m@a.test,");
	put_many(&b, 0, 500);
	assert_ends(&b, EXPAND_TOO_FAR, 0);
}

/* What is asked. */

static void put_question(const struct world_walk *k, struct buf *out)
{
	static const char *const asked[] = {
		[EXPAND_ASK_DOMAIN] = "domain ",
		[EXPAND_ASK_ALIAS] = "alias ",
		[EXPAND_ASK_MAILBOX] = "mailbox ",
	};

	buf_puts(out, asked[expand_step(k->e)]);
	buf_put_span(out, expand_key(k->e));
	buf_putc(out, '\n');
}

/* Questions are asked again as often as one likes. */
static void assert_asks(const char *world, const char *rcpt, const char *want)
{
	struct buf got = BUF_INIT(1 << 16);
	struct addr a = address(rcpt);
	struct world w;

	read_world(&w, world);
	world_begin(&w, &a, &walk);
	do {
		if (expand_step(walk.e) > EXPAND_ASK_MAILBOX)
			continue;
		put_question(&walk, &got);
		assert_int_equal(expand_step(walk.e), expand_step(walk.e));
		assert_text(expand_key(walk.e), expand_key(walk.e));
	} while (world_answer(&w, &walk));
	assert_int_equal(walk.end, EXPAND_DONE);
	assert_text(buf_span(&got), span_of(want));
	expand_free(&walk.e);
	buf_release(&got);
}

static void it_asks_in_the_order_of_the_contract(void **state)
{
	(void)state;
	assert_asks("domain a.test = b.test\ndomain b.test = c.test\n"
		    "domain c.test = a.test\n",
		    "m+x@a.test",
		    "domain a.test\nalias m+x@a.test\nmailbox m+x@a.test\n"
		    "alias m@a.test\nmailbox m@a.test\n"
		    "domain b.test\nalias m+x@b.test\nmailbox m+x@b.test\n"
		    "alias m@b.test\nmailbox m@b.test\n"
		    "domain c.test\nalias m+x@c.test\nmailbox m+x@c.test\n"
		    "alias m@c.test\nmailbox m@c.test\n"
		    "alias @a.test\nalias @b.test\nalias @c.test\n");
}

static void it_asks_for_nothing_behind_what_is_there(void **state)
{
	(void)state;
	assert_asks("", "m@a.test", "domain a.test\n");
	assert_asks("domain a.test off\n", "m@a.test", "domain a.test\n");
	assert_asks("domain a.test\nmailbox m@a.test\n", "m@a.test",
		    "domain a.test\nalias m@a.test\nmailbox m@a.test\n");
	assert_asks("domain a.test\nalias m@a.test m@a.test,x@f.test\n",
		    "m+x@a.test",
		    "domain a.test\nalias m+x@a.test\nmailbox m+x@a.test\n"
		    "alias m@a.test\nmailbox m@a.test\ndomain f.test\n");
}

/* Every world above, with something missing. */

static const struct {
	const struct row *row;
	size_t n;
} tables[] = {
	{ plain, COUNT(plain) },
	{ aliases, COUNT(aliases) },
	{ duplicates, COUNT(duplicates) },
	{ extensions, COUNT(extensions) },
	{ other_domains, COUNT(other_domains) },
	{ chains, COUNT(chains) },
	{ catch_alls, COUNT(catch_alls) },
	{ circles, COUNT(circles) },
	{ bad_targets, COUNT(bad_targets) },
};

static void for_each_row(void (*test)(const struct row *))
{
	for (size_t i = 0; i < COUNT(tables); i++)
		for (size_t k = 0; k < tables[i].n; k++)
			test(&tables[i].row[k]);
}

static void assert_temp_at_each_question(const struct row *r)
{
	struct addr a = address(r->rcpt);
	size_t questions;
	struct world w;

	read_world(&w, r->world);
	world_walk(&w, &a, &walk);
	expand_free(&walk.e);
	questions = walk.questions;
	assert_true(questions > 0);
	for (size_t i = 0; i < questions; i++) {
		walk.temp_at = i;
		world_walk(&w, &a, &walk);
		assert_int_equal(walk.end, EXPAND_TEMP);
		assert_int_equal(walk.questions, i + 1);
		expand_free(&walk.e);
	}
	walk.temp_at = SIZE_MAX;
}

static void no_answer_to_any_question_ends_it_all(void **state)
{
	(void)state;
	for_each_row(assert_temp_at_each_question);
}

/* Fails one allocation after the other until there is none left to fail; then
 * the result is the right one. */
static void assert_each_allocation_may_fail(const struct row *r)
{
	struct buf got = BUF_INIT(1 << 20);
	struct addr a = address(r->rcpt);
	long failures = -1;
	struct world w;

	read_world(&w, r->world);
	do {
		nomem_at = ++failures;
		world_walk(&w, &a, &walk);
		nomem_at = -1;
		buf_reset(&got);
		put_result(&walk, &got);
		expand_free(&walk.e);
	} while (walk.end == EXPAND_NO_MEMORY);
	assert_true(failures >= 2);
	assert_text(buf_span(&got), span_of(r->want));
	buf_release(&got);
}

static void no_memory_is_told_wherever_it_is_missing(void **state)
{
	struct buf b = BUF_INIT(1 << 16);
	struct row many = { .rcpt = "l@a.test" };
	struct buf want = BUF_INIT(1 << 16);

	(void)state;
	for_each_row(assert_each_allocation_may_fail);
	buf_puts(&b, DOMAINS "alias l@a.test ");
	put_many(&b, 0, 100);
	for (unsigned i = 0; i < 100; i++)
		buf_printf(&want, "foreign:%u@f.test\n", i);
	many.world = buf_cstr(&b);
	many.want = buf_cstr(&want);
	assert_each_allocation_may_fail(&many);
	buf_release(&want);
	buf_release(&b);
}

static void freeing_nothing_is_harmless(void **state)
{
	struct expand *e = NULL;

	(void)state;
	expand_free(&e);
	assert_null(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_foreign_or_known_or_not),
		cmocka_unit_test(an_alias_leads_to_all_its_targets),
		cmocka_unit_test(
			each_mailbox_and_each_foreign_address_stands_once),
		cmocka_unit_test(an_extension_is_dropped_or_handed_on),
		cmocka_unit_test(
			a_list_is_split_at_commas_blanks_and_line_ends),
		cmocka_unit_test(delimiters_are_those_that_are_set),
		cmocka_unit_test(local_parts_of_targets_are_folded_when_asked),
		cmocka_unit_test(a_domain_may_stand_for_another),
		cmocka_unit_test(at_most_five_domains_stand_for_one_another),
		cmocka_unit_test(a_catch_all_takes_what_nothing_else_does),
		cmocka_unit_test(a_circle_ends_and_is_an_error_if_it_is_all),
		cmocka_unit_test(a_target_that_is_no_address_is_told),
		cmocka_unit_test(ten_aliases_are_followed_and_eleven_are_not),
		cmocka_unit_test(
			a_thousand_targets_are_followed_and_not_one_more),
		cmocka_unit_test(targets_of_all_aliases_are_counted_together),
		cmocka_unit_test(it_asks_in_the_order_of_the_contract),
		cmocka_unit_test(it_asks_for_nothing_behind_what_is_there),
		cmocka_unit_test(no_answer_to_any_question_ends_it_all),
		cmocka_unit_test(no_memory_is_told_wherever_it_is_missing),
		cmocka_unit_test(freeing_nothing_is_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
