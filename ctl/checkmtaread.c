/* ctl/checkmtaread.c: main.cf and master.cf as postconf(1) prints them, with
 * every $name replaced. It is run without a shell, and neither its time nor
 * its words are without bounds. */
#include "ctl/checkmta.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/esc.h"

extern char **environ;

enum { POSTCONF_MS = 10000, ARGS_MAX = 96, CLASSES_MAX = 32 };

/* What the subjects ask about; postconf leaves out what it does not know. */
static const char *const names[] = {
	"always_bcc",
	"body_checks",
	"broken_sasl_auth_clients",
	"compatibility_level",
	"config_directory",
	"content_filter",
	"default_transport",
	"disable_vrfy_command",
	"enable_original_recipient",
	"header_checks",
	"in_flow_delay",
	"inet_interfaces",
	"lmtp_destination_concurrency_limit",
	"lmtp_line_length_limit",
	"local_transport",
	"mail_version",
	"mailbox_transport",
	"maximal_queue_lifetime",
	"message_size_limit",
	"milter_command_timeout",
	"milter_content_timeout",
	"milter_default_action",
	"milter_header_checks",
	"milter_protocol",
	"mime_header_checks",
	"mydestination",
	"myhostname",
	"nested_header_checks",
	"non_smtpd_milters",
	"queue_directory",
	"receive_override_options",
	"recipient_bcc_maps",
	"relay_domains",
	"relay_transport",
	"sender_bcc_maps",
	"smtpd_client_restrictions",
	"smtpd_data_restrictions",
	"smtpd_delay_reject",
	"smtpd_discard_ehlo_keywords",
	"smtpd_end_of_data_restrictions",
	"smtpd_etrn_restrictions",
	"smtpd_forbid_bare_newline",
	"smtpd_helo_restrictions",
	"smtpd_milter_maps",
	"smtpd_milters",
	"smtpd_proxy_filter",
	"smtpd_recipient_restrictions",
	"smtpd_reject_unlisted_recipient",
	"smtpd_relay_restrictions",
	"smtpd_restriction_classes",
	"smtpd_sasl_auth_enable",
	"smtpd_sasl_path",
	"smtpd_sasl_security_options",
	"smtpd_sasl_tls_security_options",
	"smtpd_sasl_type",
	"smtpd_sender_restrictions",
	"smtpd_tls_auth_only",
	"smtpd_tls_security_level",
	"transport_maps",
	"virtual_alias_domains",
	"virtual_alias_maps",
	"virtual_mailbox_domains",
	"virtual_mailbox_maps",
	"virtual_transport",
};
enum { NAMES = sizeof(names) / sizeof(names[0]) };

const char *mta_find_postconf(char path[1024])
{
	const char *env = getenv("PATH");
	struct buf list = BUF_INIT(1 << 16);
	struct span rest, dir;
	bool found = false;

	buf_printf(&list, "%s:/usr/sbin:/usr/local/sbin", env ? env : "");
	rest = buf_span(&list);
	while (!found && rest.n > 0) {
		span_cut(rest, ':', &dir, &rest);
		if (dir.n == 0 || dir.n > 1000 || dir.p[0] != '/')
			continue;
		snprintf(path, 1024, "%.*s/postconf", (int)dir.n, dir.p);
		found = access(path, X_OK) == 0;
	}
	buf_release(&list);
	return found ? path : NULL;
}

/* False when there is nothing more to come. */
static bool drain(int fd, struct buf *to)
{
	char *room = buf_reserve(to, 16384);
	ssize_t n = room ? read(fd, room, 16384) : 0;

	if (n > 0)
		to->n += (size_t)n;
	return n > 0 || (n < 0 && errno == EINTR);
}

/* NULL, or why the answer is not whole. */
static const char *collect(int out, int err, struct buf *text,
			   struct buf *complaint)
{
	int64_t deadline = deadline_in(POSTCONF_MS);
	struct pollfd p[2] = { { out, POLLIN, 0 }, { err, POLLIN, 0 } };
	int n;

	while (buf_ok(text) && (p[0].fd >= 0 || p[1].fd >= 0)) {
		n = poll(p, 2, deadline_left(deadline));
		if (n == 0)
			return "it does not end";
		if (n < 0 && errno != EINTR)
			return strerror(errno);
		if (n > 0 && p[0].revents && !drain(out, text))
			p[0].fd = -1;
		if (n > 0 && p[1].revents && !drain(err, complaint))
			p[1].fd = -1;
	}
	return buf_ok(text) ? NULL : "it says too much";
}

static bool spawn(char *const argv[], int out, int err, pid_t *pid_r)
{
	posix_spawn_file_actions_t act;
	bool ok;

	if (posix_spawn_file_actions_init(&act) != 0)
		return false;
	ok = posix_spawn_file_actions_addopen(&act, 0, "/dev/null", O_RDONLY,
					      0) == 0 &&
	     posix_spawn_file_actions_adddup2(&act, out, 1) == 0 &&
	     posix_spawn_file_actions_adddup2(&act, err, 2) == 0 &&
	     posix_spawn(pid_r, argv[0], &act, NULL, argv, environ) == 0;
	posix_spawn_file_actions_destroy(&act);
	return ok;
}

static const char *run_program(char *const argv[], struct buf *text,
			       struct buf *complaint)
{
	int out[2], err[2], status = 0;
	const char *why;
	pid_t pid;

	if (pipe2(out, O_CLOEXEC) != 0)
		return strerror(errno);
	if (pipe2(err, O_CLOEXEC) != 0) {
		close(out[0]);
		close(out[1]);
		return strerror(errno);
	}
	why = spawn(argv, out[1], err[1], &pid) ? NULL : "cannot be run";
	close(out[1]);
	close(err[1]);
	if (!why) {
		why = collect(out[0], err[0], text, complaint);
		if (why)
			kill(pid, SIGKILL);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		if (!why && status != 0)
			why = "it failed";
	}
	close(out[0]);
	close(err[0]);
	return why;
}

/* Runs "postconf [-c DIR] WORD..."; false after a finding. */
static bool ask(struct mta *m, char *const word[], size_t n, struct buf *text)
{
	struct buf complaint = BUF_INIT(1 << 16);
	char *argv[ARGS_MAX] = { (char *)(uintptr_t)m->postconf };
	struct esc_text line;
	struct span first, rest;
	const char *why;
	size_t argc = 1, i;

	if (m->dir[0]) {
		argv[argc++] = (char *)(uintptr_t) "-c";
		argv[argc++] = (char *)(uintptr_t)m->dir;
	}
	for (i = 0; i < n && argc < ARGS_MAX - 1; i++)
		argv[argc++] = word[i];
	why = run_program(argv, text, &complaint);
	if (why) {
		span_cut(buf_span(&complaint), '\n', &first, &rest);
		check_say(m->k, CHECK_FAIL, "postfix", "postfix check",
			  "%s cannot be asked: %s: %s", m->postconf, why,
			  esc_text(&line, first));
	}
	buf_release(&complaint);
	return why == NULL;
}

static void add_setting(struct mta *m, struct span service, struct span name,
			struct span value)
{
	if (m->settings < MTA_SETTINGS)
		m->setting[m->settings++] =
			(struct mta_setting){ service, name, value };
}

/* "NAME = VALUE", or "SERVICE/TYPE/NAME = VALUE". */
static void take_settings(struct mta *m, const struct buf *text)
{
	struct span rest = buf_span(text), line, left, value, service;
	size_t slash;

	while (rest.n > 0) {
		span_cut(rest, '\n', &line, &rest);
		if (!span_cut(line, '=', &left, &value))
			continue;
		left = span_trim(left);
		for (slash = left.n; slash > 0; slash--)
			if (left.p[slash - 1] == '/')
				break;
		service = span_head(left, slash ? slash - 1 : 0);
		add_setting(m, service, span_skip(left, slash),
			    span_trim(value));
	}
}

static bool column(struct span *line, struct span *word_r)
{
	*line = span_trim(*line);
	span_cut(*line, ' ', word_r, line);
	return word_r->n > 0;
}

/* NAME TYPE PRIVATE UNPRIVILEGED CHROOT WAKEUP MAXPROC COMMAND ... */
static void take_service(struct mta *m, struct span line, bool chroot_default)
{
	struct mta_service s = { .chroot = chroot_default };
	struct span word[8];
	size_t i;

	for (i = 0; i < 8; i++)
		if (!column(&line, &word[i]))
			return;
	s.name = word[0];
	s.type = word[1];
	if (!span_is(word[4], "-"))
		s.chroot = span_is(word[4], "y");
	s.command = word[7];
	if (m->services < MTA_SERVICES)
		m->service[m->services++] = s;
}

static void take_services(struct mta *m, const struct buf *text)
{
	struct span level = mta_get(m, NULL, "compatibility_level");
	struct span rest = buf_span(text), line, major;
	bool chroot;

	/* since level 1, "-" means no */
	span_cut(level, '.', &major, &level);
	chroot = mta_number(major) < 1;
	while (rest.n > 0) {
		span_cut(rest, '\n', &line, &rest);
		take_service(m, line, chroot);
	}
}

static bool read_main(struct mta *m)
{
	char *word[NAMES + 1] = { (char *)(uintptr_t) "-x" };
	size_t i;

	for (i = 0; i < NAMES; i++)
		word[1 + i] = (char *)(uintptr_t)names[i];
	if (!ask(m, word, 1 + NAMES, &m->text[0]))
		return false;
	take_settings(m, &m->text[0]);
	return true;
}

/* Restriction classes are parameters with names of the site's own. */
static bool read_classes(struct mta *m)
{
	char *word[CLASSES_MAX + 1] = { (char *)(uintptr_t) "-x" };
	struct span list = mta_get(m, NULL, "smtpd_restriction_classes"), name;
	size_t n = 1;
	bool ok;

	while (n <= CLASSES_MAX && mta_word(&list, &name))
		if (name.p[0] != '-')
			word[n++] = strndup(name.p, name.n);
	ok = n == 1 || ask(m, word, n, &m->text[1]);
	if (ok)
		take_settings(m, &m->text[1]);
	while (n > 1)
		free(word[--n]);
	return ok;
}

static bool read_master(struct mta *m)
{
	char *services[] = { (char *)(uintptr_t) "-M" };
	char *settings[] = { (char *)(uintptr_t) "-Px" };

	if (!ask(m, services, 1, &m->text[2]) ||
	    !ask(m, settings, 1, &m->text[3]))
		return false;
	take_services(m, &m->text[2]);
	take_settings(m, &m->text[3]);
	return true;
}

bool mta_read(struct mta *m)
{
	struct span dir, queue;
	size_t i;

	for (i = 0; i < 4; i++)
		buf_init(&m->text[i], MTA_TEXT_MAX);
	if (!read_main(m) || !read_classes(m) || !read_master(m))
		return false;
	dir = mta_get(m, NULL, "config_directory");
	queue = mta_get(m, NULL, "queue_directory");
	snprintf(m->directory, sizeof(m->directory), "%.*s", (int)dir.n, dir.p);
	snprintf(m->queue, sizeof(m->queue), "%.*s", (int)queue.n, queue.p);
	return true;
}

void mta_release(struct mta *m)
{
	size_t i;

	for (i = 0; i < 4; i++)
		buf_release(&m->text[i]);
}
