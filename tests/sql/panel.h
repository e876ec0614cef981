/* tests/sql/panel.h: each shipped profile over the tables of its panel, in a
 * database of its own, asked with the rights that the profile's head grants. */
#ifndef MAILROW_TESTS_SQL_PANEL_H
#define MAILROW_TESTS_SQL_PANEL_H

#include "sql/login.h"

enum panel_user {
	PANEL_MILTER,
	PANEL_LMTP,
	PANEL_AUTH,
	PANEL_ADMIN,
	PANEL_PURGE, /* asks for mailboxes only */
	PANEL_USERS
};

struct panel {
	const char *name;
	struct profile *profile;
	struct db_target *target[PANEL_USERS];
	struct db *db[PANEL_USERS];
};

enum { PANELS = 11 };
extern struct panel panels[PANELS];

/* Group set-up and tear-down of cmocka. */
int panel_start(void **state);
int panel_end(void **state);

/* Writes the option file of one of its users again, for connections that are
 * made from now on. */
void panel_options(const struct panel *p, enum panel_user u);

/* Is the panel one of these (blanks between)? "*" is every one, and a list
 * behind "!" all others. */
bool panel_in(const struct panel *p, const char *list);

/* Runs the lines of the profile's file that begin with this ("#: "), as root,
 * with the panel's database selected. How many statements it were. */
size_t panel_apply(const struct panel *p, const char *prefix);

#endif
