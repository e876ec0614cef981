/* sql/dberror.c: the one table of errors. The text is ours, because the
 * server's may quote what is in the row. */
#include "sql/dberror.h"

static const struct dberror dberrors[] = {
	/* an answer */
	{ 1022, DB_DUP, false, "duplicate key" },
	{ 1062, DB_DUP, false, "duplicate key" },
	{ 1169, DB_DUP, false, "duplicate key" },
	{ 1586, DB_DUP, false, "duplicate key" },

	/* the transaction is gone, or has to be ended by us (1205) */
	{ 1020, DB_RETRY, false, "row changed since it was read" },
	{ 1205, DB_RETRY, false, "lock wait timeout" },
	{ 1213, DB_RETRY, false, "deadlock" },
	{ 1223, DB_RETRY, false, "server holds a read lock" },
	{ 1317, DB_RETRY, false, "statement interrupted" },
	{ 1614, DB_RETRY, false, "transaction branch rolled back" },
	{ 1969, DB_RETRY, false, "statement ran too long" },
	{ 3024, DB_RETRY, false, "statement ran too long" },
	{ 3101, DB_RETRY, false, "rolled back by the replication group" },
	{ 8002, DB_RETRY, false, "write conflict" },
	{ 8022, DB_RETRY, false, "commit must be retried" },
	{ 9007, DB_RETRY, false, "write conflict" },

	/* this connection, or this server, cannot be used now */
	{ 1021, DB_DOWN, false, "disk full" },
	{ 1030, DB_DOWN, false, "storage engine error" },
	{ 1037, DB_DOWN, false, "server out of memory" },
	{ 1038, DB_DOWN, false, "server out of sort memory" },
	{ 1040, DB_DOWN, false, "too many connections" },
	{ 1041, DB_DOWN, false, "server out of memory" },
	{ 1042, DB_DOWN, false, "server cannot resolve our host" },
	{ 1043, DB_DOWN, false, "bad handshake" },
	{ 1046, DB_DOWN, false, "no database selected" },
	{ 1047, DB_DOWN, true, "node not ready" },
	{ 1053, DB_DOWN, false, "server shutdown in progress" },
	{ 1114, DB_DOWN, true, "table full" },
	{ 1129, DB_DOWN, false,
	  "our host is blocked (mysqladmin flush-hosts)" },
	{ 1135, DB_DOWN, false, "server cannot make a thread" },
	{ 1152, DB_DOWN, false, "connection aborted" },
	{ 1158, DB_DOWN, false, "error reading from the network" },
	{ 1159, DB_DOWN, false, "timeout reading from the network" },
	{ 1160, DB_DOWN, false, "error writing to the network" },
	{ 1161, DB_DOWN, false, "timeout writing to the network" },
	{ 1180, DB_DOWN, true, "error during commit" },
	{ 1184, DB_DOWN, false, "connection aborted" },
	{ 1203, DB_DOWN, false, "too many connections of this user" },
	{ 1206, DB_DOWN, false, "lock table full" },
	{ 1226, DB_DOWN, true, "resource limit of this user" },
	{ 1290, DB_DOWN, true, "server is read only" },
	{ 1461, DB_DOWN, false, "too many prepared statements" },
	{ 1792, DB_DOWN, false, "transaction is read only" },
	{ 1836, DB_DOWN, false, "server is read only" },
	{ 1927, DB_DOWN, false, "connection was killed" },
	{ 2001, DB_DOWN, true, "cannot make a socket" },
	{ 2002, DB_DOWN, true, "cannot connect" },
	{ 2003, DB_DOWN, true, "cannot connect" },
	{ 2004, DB_DOWN, true, "cannot make a socket" },
	{ 2005, DB_DOWN, true, "unknown host" },
	{ 2006, DB_DOWN, false, "server has gone away" },
	{ 2008, DB_DOWN, false, "out of memory" },
	{ 2012, DB_DOWN, true, "error in the handshake" },
	{ 2013, DB_DOWN, false, "lost connection" },
	{ 2014, DB_DOWN, false, "commands out of sync" },
	{ 2026, DB_DOWN, true, "TLS error" },
	{ 2027, DB_DOWN, false, "malformed packet" },
	{ 2055, DB_DOWN, false, "lost connection" },
	{ 3100, DB_DOWN, false, "replication group not ready" },
	{ 3168, DB_DOWN, false, "server is offline" },
	{ 4031, DB_DOWN, false, "connection was idle too long" },

	/* schema, grants, configuration or a bug: named for who repairs it */
	{ 1044, DB_OURS, true, "no right to the database" },
	{ 1045, DB_OURS, true, "access denied" },
	{ 1049, DB_OURS, true, "unknown database" },
	{ 1050, DB_OURS, true, "table exists" },
	{ 1054, DB_OURS, true, "unknown column" },
	{ 1064, DB_OURS, true, "syntax error" },
	{ 1130, DB_OURS, true, "our host may not connect" },
	{ 1142, DB_OURS, true, "no right to the table" },
	{ 1143, DB_OURS, true, "no right to the column" },
	{ 1146, DB_OURS, true, "no such table" },
	{ 1153, DB_OURS, false, "packet larger than max_allowed_packet" },
	{ 1193, DB_OURS, true, "unknown server variable" },
	{ 1227, DB_OURS, true, "no right" },
	{ 1264, DB_OURS, true, "number out of range" },
	{ 1364, DB_OURS, true, "column without a value" },
	{ 1366, DB_OURS, false, "value does not fit the column" },
	{ 1406, DB_OURS, true, "value too long" },
	{ 1419, DB_OURS, true,
	  "no right to make a trigger beside a binary log" },
	{ 1665, DB_OURS, false, "binlog_format=STATEMENT cannot be used" },
	{ 1690, DB_OURS, false, "number out of range" },
	{ 1698, DB_OURS, true, "access denied" },
	{ 2054, DB_OURS, true, "server and client do not agree" },
	{ 2058, DB_OURS, true, "authentication plugin" },
	{ 2059, DB_OURS, true, "authentication plugin" },
	{ 2061, DB_OURS, true, "authentication plugin" },
};

static const struct dberror dberror_unknown = { 0, DB_OURS, false,
						"unexpected error" };

/* The library gave up, perhaps for lack of memory and without a number, in the
 * middle of an answer: what is left of that must not be taken for another. */
static const struct dberror dberror_library = {
	0, DB_DOWN, false, "unexpected error of the client library"
};

static bool is_of_the_library(unsigned code)
{
	return code == 0 || (code >= 2000 && code <= 2999);
}

const struct dberror *dberror_find(unsigned code)
{
	for (size_t i = 0; i < sizeof(dberrors) / sizeof(*dberrors); i++)
		if (dberrors[i].code == code)
			return &dberrors[i];
	return is_of_the_library(code) ? &dberror_library : &dberror_unknown;
}

const char *db_result_text(enum db_result r)
{
	static const char *const text[] = {
		[DB_OK] = "ok",
		[DB_DUP] = "duplicate key",
		[DB_RETRY] = "transaction lost",
		[DB_DOWN] = "database not usable",
		[DB_OURS] = "schema, rights or a bug of ours",
	};

	return text[r];
}
