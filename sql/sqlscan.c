/* sql/sqlscan.c: see sqlscan.h. As MySQL and MariaDB read it without
 * ANSI_QUOTES and NO_BACKSLASH_ESCAPES, which our sessions never set. */
#include "sql/sqlscan.h"

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_word(char c)
{
	return is_letter(c) || (c >= '0' && c <= '9') || c == '$' ||
	       (unsigned char)c >= 0x80;
}

/* Length of the quoted piece that begins s, 0 when it does not end. A doubled
 * quote needs no care: it ends one piece and begins the next. */
static size_t quoted_length(struct span s)
{
	char q = s.p[0];

	for (size_t i = 1; i < s.n; i++) {
		if (s.p[i] == '\\' && q != '`')
			i++;
		else if (s.p[i] == q)
			return i + 1;
	}
	return 0;
}

static size_t comment_length(struct span s)
{
	for (size_t i = 2; i + 1 < s.n; i++)
		if (s.p[i] == '*' && s.p[i + 1] == '/')
			return i + 2;
	return 0;
}

static bool begins(struct span s, const char *with)
{
	return span_eq(span_head(s, strlen(with)), span_of(with));
}

/* "--" begins a comment only before a blank or at the end. */
static bool line_comment(struct span s)
{
	return s.p[0] == '#' ||
	       (begins(s, "--") && (s.n == 2 || is_blank(s.p[2])));
}

static size_t run_length(struct span s, size_t from, bool (*is)(char))
{
	size_t n = from;

	while (n < s.n && is(s.p[n]))
		n++;
	return n;
}

static enum sqlscan_kind measure(struct span s, size_t *n)
{
	if (is_blank(s.p[0])) {
		*n = run_length(s, 1, is_blank);
		return SQLSCAN_BLANK;
	}
	if (line_comment(s)) {
		*n = span_find(s, '\n');
		return SQLSCAN_COMMENT;
	}
	if (begins(s, "/*")) {
		*n = comment_length(s);
		return begins(s, "/*!") || begins(s, "/*M!")
			       ? SQLSCAN_CODE_COMMENT
			       : SQLSCAN_COMMENT;
	}
	if (s.p[0] == '\'' || s.p[0] == '"' || s.p[0] == '`') {
		*n = quoted_length(s);
		return SQLSCAN_QUOTED;
	}
	if (is_word(s.p[0])) {
		*n = run_length(s, 1, is_word);
		return SQLSCAN_WORD;
	}
	if (s.p[0] == ':' && s.n > 1 && is_letter(s.p[1])) {
		*n = run_length(s, 2, is_word);
		return SQLSCAN_PARAM;
	}
	*n = 1;
	return SQLSCAN_OTHER;
}

enum sqlscan_kind sqlscan_next(struct span *sql, struct span *piece_r)
{
	size_t n = 0;
	enum sqlscan_kind kind = measure(*sql, &n);

	if (n == 0) {
		n = sql->n;
		kind = SQLSCAN_UNENDED;
	}
	*piece_r = span_head(*sql, n);
	*sql = span_skip(*sql, n);
	return kind;
}

/* Reserved words: as names they would be quoted, or stand after a dot. */
static bool word_does_more(struct span word)
{
	static const char *const words[] = { "into", "update", "lock",
					     "procedure" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (span_eq_nocase(word, span_of(words[i])))
			return true;
	return false;
}

struct selecting {
	bool update; /* one UPDATE is wanted, not one SELECT */
	bool begun;  /* its first word was read */
	bool ended;  /* a semicolon was read */
	bool where;  /* WHERE was read */
	bool after_dot;
};

static const char *not_this(const struct selecting *st)
{
	return st->update ? "is not an UPDATE" : "is not a SELECT";
}

static const char *check_word(struct selecting *st, struct span word)
{
	if (!st->begun) {
		if (!span_eq_nocase(word,
				    span_of(st->update ? "update" : "select")))
			return not_this(st);
		st->begun = true;
		return NULL;
	}
	if (span_eq_nocase(word, SPAN_LIT("where")))
		st->where = true;
	return !st->after_dot && word_does_more(word)
		       ? "does more than select (INTO, UPDATE, LOCK,"
			 " PROCEDURE)"
		       : NULL;
}

static const char *check_other(struct selecting *st, char c)
{
	if (c == ';') {
		st->ended = true;
		return st->begun ? NULL : not_this(st);
	}
	if (c == '?')
		return "has a '?': write the name, as in :address";
	if (c == ':')
		return "has a ':' without the name of a parameter";
	return st->begun || (c == '(' && !st->update) ? NULL : not_this(st);
}

static const char *check_piece(struct selecting *st, enum sqlscan_kind kind,
			       struct span piece)
{
	if (st->ended)
		return "is more than one statement";
	switch (kind) {
	case SQLSCAN_WORD:
		return check_word(st, piece);
	case SQLSCAN_OTHER:
		return check_other(st, *piece.p);
	case SQLSCAN_QUOTED:
	case SQLSCAN_PARAM:
		return st->begun ? NULL : not_this(st);
	case SQLSCAN_CODE_COMMENT:
		return "has a comment that a server may execute";
	case SQLSCAN_UNENDED:
		return "has a quote or a comment that does not end";
	case SQLSCAN_BLANK:
	case SQLSCAN_COMMENT:
		break;
	}
	return NULL;
}

static unsigned count_lines(struct span s)
{
	unsigned n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '\n';
	return n;
}

static const char *scan(struct selecting st, struct span sql, unsigned *line,
			bool (*param)(void *arg, struct span name,
				      unsigned line),
			void *arg, struct buf *out)
{
	const char *mistake = NULL;
	struct span piece;

	while (sql.n > 0) {
		enum sqlscan_kind kind = sqlscan_next(&sql, &piece);

		if (kind == SQLSCAN_COMMENT || kind == SQLSCAN_BLANK) {
			*line += count_lines(piece);
			if (out->n > 0 && out->p[out->n - 1] != ' ')
				buf_putc(out, ' ');
			continue;
		}
		mistake = check_piece(&st, kind, piece);
		if (mistake)
			return mistake;
		st.after_dot = *piece.p == '.';
		if (kind == SQLSCAN_PARAM) {
			if (!param(arg, span_skip(piece, 1), *line))
				return "";
			buf_putc(out, '?');
		} else if (!st.ended) {
			buf_put_span(out, piece);
		}
		*line += count_lines(piece);
	}
	if (!st.begun)
		return not_this(&st);
	return st.update && !st.where ? "has no WHERE" : NULL;
}

const char *sqlscan_select(struct span sql, unsigned *line,
			   bool (*param)(void *arg, struct span name,
					 unsigned line),
			   void *arg, struct buf *out)
{
	return scan((struct selecting){ .update = false }, sql, line, param,
		    arg, out);
}

const char *sqlscan_update(struct span sql, unsigned *line,
			   bool (*param)(void *arg, struct span name,
					 unsigned line),
			   void *arg, struct buf *out)
{
	return scan((struct selecting){ .update = true }, sql, line, param, arg,
		    out);
}
