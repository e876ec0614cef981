/* ctl/checkmta.h: what the site's MTA is told by its own configuration, and
 * what of it stands against us. Postfix, read with its postconf(1). One
 * subject a file; each says findings and what to type. */
#ifndef MAILROW_CTL_CHECKMTA_H
#define MAILROW_CTL_CHECKMTA_H

#include "ctl/check.h"

enum {
	MTA_SERVICES = 128,
	MTA_SETTINGS = 2048,
	MTA_SAID = 512,
	MTA_SOCKET_MAX = 256,
	MTA_WHERE_MAX = 320,
	MTA_TEXT_MAX = 1 << 20 /* octets of one answer of postconf */
};

/* A line of master.cf. */
struct mta_service {
	struct span name, type, command;
	bool chroot;
};

/* A parameter of main.cf, or of one service (-o in master.cf). */
struct mta_setting {
	struct span service; /* "NAME/TYPE"; empty: main.cf */
	struct span name, value;
};

/* A socket as both sides can be asked about it. */
struct mta_socket {
	bool inet;
	char text[MTA_SOCKET_MAX]; /* absolute path, or HOST:PORT; "" = none */
};

/* Roles of a milter socket, as bits. */
enum mta_role { MTA_FULL = 1, MTA_POLICY = 2, MTA_STORE = 4, MTA_ROLES = 3 };

struct mta {
	struct check *k;
	const struct conf *conf;
	const char *postconf; /* its path */
	const char *dir;      /* for -c; "" = Postfix's own choice */
	char directory[1024]; /* where main.cf is */
	char queue[1024];     /* queue_directory */
	struct buf text[4];   /* what setting and service point into */
	struct mta_service service[MTA_SERVICES];
	size_t services;
	struct mta_setting setting[MTA_SETTINGS];
	size_t settings;
	uint64_t said[MTA_SAID];
	size_t nsaid;
	bool mend; /* something of Postfix's is to be changed */
	struct mta_socket milter[MTA_ROLES];
	bool lmtp; /* a transport leads to mailrow-lmtpd */
	bool filters;
};

/* checkmtaread.c. Fills m from m->dir; false after a finding. */
bool mta_read(struct mta *m);
void mta_release(struct mta *m);

/* The path of postconf, NULL when this system has none. */
const char *mta_find_postconf(char path[1024]);

/* The value in force for the service, NULL for main.cf's own. False: this
 * Postfix does not know the parameter. */
bool mta_has(const struct mta *m, const struct mta_service *s, const char *name,
	     struct span *value_r);

/* The same; empty when it is not known. */
struct span mta_get(const struct mta *m, const struct mta_service *s,
		    const char *name);

/* Postfix's booleans, times (in milliseconds; a number alone counts seconds)
 * and numbers. */
bool mta_yes(struct span value);
int64_t mta_ms(struct span value);
uint64_t mta_number(struct span value);

/* The next service that runs this command, after s (NULL: the first). */
const struct mta_service *mta_next(const struct mta *m, const char *command,
				   const struct mta_service *s);

/* It listens on a loopback address only. */
bool mta_is_loopback(const struct mta *m, const struct mta_service *s);

/* Takes the next word off a list; blanks and commas part words, braces hold
 * one together. */
bool mta_word(struct span *list, struct span *word_r);

/* What stands between a word's braces; the word itself when it has none. */
struct span mta_unbrace(struct span word);
bool mta_list_has(struct span list, const char *word);

/* checkmta.c. Who is not named in the table served has his mail with us alone;
 * else another store stands beside us. */
bool mta_stores(const struct mta *m);

/* A finding; one that was said before is not said again. */
void mta_say(struct mta *m, enum check_level level, const char *subject,
	     const char *fix, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* The first time that it is asked of this text. */
bool mta_is_new(struct mta *m, struct span text);

/* Where the value in force for s is set: "main.cf", "smtp/inet". */
const char *mta_where(const struct mta *m, const struct mta_service *s,
		      const char *name, char out[MTA_WHERE_MAX]);

/* The command that sets it there, or with at_service for s alone. A value
 * that cannot be typed gives the file to edit. */
const char *mta_fix(struct mta *m, const struct mta_service *s,
		    const char *name, struct span value,
		    char fix[CHECK_FIX_MAX]);
const char *mta_fix_service(struct mta *m, const struct mta_service *s,
			    const char *name, struct span value,
			    char fix[CHECK_FIX_MAX]);

/* False, after a finding, when a chrooted service of Postfix cannot see the
 * socket, whatever it is called. */
bool mta_sees(struct mta *m, const struct mta_service *s,
	      const struct mta_socket *socket, const char *subject,
	      const char *option);

/* checkmtasocket.c. An option of ours: local:PATH, unix:PATH, inet:PORT@HOST,
 * inet:HOST:PORT. False: it is none of these. */
bool mta_socket_ours(struct span text, struct mta_socket *s_r);

/* As Postfix writes it, for a process chrooted or not: unix:PATH (relative to
 * the queue directory), inet:HOST:PORT; without a kind, what kind says. */
bool mta_socket_theirs(const struct mta *m, struct span text, bool chroot,
		       const char *kind, struct mta_socket *s_r);
bool mta_socket_same(const struct mta_socket *a, const struct mta_socket *b);

/* How main.cf is to name it: relative to the queue directory where it can. */
const char *mta_socket_name(const struct mta *m, const struct mta_socket *s,
			    char out[MTA_SOCKET_MAX]);

/* Connects as the MTA's user does, by the name as written, in the queue
 * directory and in its chroot; speaks is what the server says first. */
void mta_socket_reach(struct mta *m, const char *subject, struct span text,
		      bool chroot, const char *kind, const char *speaks,
		      const char *daemon);

/* checkmtatable.c. Calls row for each entry of a look-up table TYPE:NAME whose
 * source can be read. False: it cannot, and why says why. */
typedef void mta_row(void *arg, struct span answer, unsigned line);
bool mta_table(const struct mta *m, struct span spec, mta_row *row, void *arg,
	       char why[256]);

/* A table that asks elsewhere (mysql:FILE) tells by its file whom it can name:
 * does the text stand there? */
bool mta_table_mentions(const struct mta *m, struct span spec,
			const char *text);

/* A table that lies in a database, as the accounts do; and one that may be
 * where a panel's lie. */
bool mta_table_is_sql(struct span spec);
bool mta_table_is_mysql(struct span spec);

/* checkmtamilter.c. The roles of our sockets among the service's milters, as
 * bits of enum mta_role; and whether ours is the last of them. */
unsigned mta_roles(const struct mta *m, const struct mta_service *s,
		   bool *last_r);

/* The command that gives the service our policy socket instead. */
const char *mta_policy_fix(struct mta *m, const struct mta_service *s,
			   char fix[CHECK_FIX_MAX]);

/* checkmtalmtp.c. Sets m->lmtp; before all others. */
void mta_find_lmtp(struct mta *m);

/* checkmtaconf.c. What to type to give an option of ours this value; then,
 * with systemctl, to make those who read it see that ("reload mailrow-milter").
 */
const char *mta_option_fix(const struct mta *m, const char *key,
			   const char *value, const char *systemctl,
			   char fix[CHECK_FIX_MAX]);

/* This command again, with --fix. */
const char *mta_check_fix(const struct mta *m, char fix[CHECK_FIX_MAX]);

/* Writes discard_when_done = yes; a finding tells how it went. */
void mta_set_discard(struct mta *m);

/* The subjects, in the order of their lines. */
void checkmtamilter_run(struct mta *m);
void checkmtafilter_run(struct mta *m);
void checkmtasmtp_run(struct mta *m);
void checkmtadomain_run(struct mta *m);
void checkmtalmtp_run(struct mta *m);
void checkmtasasl_run(struct mta *m);
void checkmtadiscard_run(struct mta *m);

#endif
