-- The daemons' database users and their rights, for the database that is
-- selected: mariadb DATABASE < grants.sql
-- MariaDB and MySQL 8 read it alike. With a server on this host the UNIX user
-- of each daemon is its password; where the server is elsewhere, or the
-- product has no such UNIX user, make the users first, with passwords:
--   CREATE USER 'mailrow-milter'@'HOST' IDENTIFIED BY '...';
-- and write HOST for localhost below.

CREATE USER IF NOT EXISTS 'mailrow-milter'@'localhost'
  IDENTIFIED WITH /*M! unix_socket */ /*!80000 auth_socket */;
CREATE USER IF NOT EXISTS 'mailrow-lmtp'@'localhost'
  IDENTIFIED WITH /*M! unix_socket */ /*!80000 auth_socket */;
CREATE USER IF NOT EXISTS 'mailrow-auth'@'localhost'
  IDENTIFIED WITH /*M! unix_socket */ /*!80000 auth_socket */;
CREATE USER IF NOT EXISTS 'mailrow-pop3'@'localhost'
  IDENTIFIED WITH /*M! unix_socket */ /*!80000 auth_socket */;
CREATE USER IF NOT EXISTS 'mailrow-purge'@'localhost'
  IDENTIFIED WITH /*M! unix_socket */ /*!80000 auth_socket */;
CREATE USER IF NOT EXISTS 'mailrow-admin'@'localhost'
  IDENTIFIED WITH /*M! unix_socket */ /*!80000 auth_socket */;

-- The milter stores mail and never deletes any; of an account it sees all but
-- the password.
GRANT SELECT ON schema_version TO 'mailrow-milter'@'localhost';
GRANT SELECT, INSERT, UPDATE ON mailbox TO 'mailrow-milter'@'localhost';
GRANT SELECT, INSERT, UPDATE ON receipt TO 'mailrow-milter'@'localhost';
GRANT SELECT, INSERT, UPDATE ON content TO 'mailrow-milter'@'localhost';
GRANT INSERT ON chunk TO 'mailrow-milter'@'localhost';
GRANT INSERT ON mail TO 'mailrow-milter'@'localhost';
GRANT EXECUTE ON PROCEDURE deliver_plain TO 'mailrow-milter'@'localhost';
GRANT SELECT ON domain TO 'mailrow-milter'@'localhost';
GRANT SELECT (account_id, address, domain, quota, active, smtp, pop3, tls_only)
  ON account TO 'mailrow-milter'@'localhost';
GRANT SELECT ON alias TO 'mailrow-milter'@'localhost';
GRANT SELECT ON served TO 'mailrow-milter'@'localhost';
GRANT SELECT ON network TO 'mailrow-milter'@'localhost';
GRANT SELECT ON policy_mode TO 'mailrow-milter'@'localhost';
GRANT SELECT ON account_policy TO 'mailrow-milter'@'localhost';
GRANT SELECT ON access_rule TO 'mailrow-milter'@'localhost';
GRANT SELECT ON send_as TO 'mailrow-milter'@'localhost';
GRANT SELECT ON policy_limit TO 'mailrow-milter'@'localhost';
GRANT SELECT ON policy_generation TO 'mailrow-milter'@'localhost';
GRANT SELECT, INSERT, UPDATE ON limit_usage TO 'mailrow-milter'@'localhost';
GRANT INSERT ON decision TO 'mailrow-milter'@'localhost';
GRANT SELECT, INSERT, UPDATE ON charge_slot TO 'mailrow-milter'@'localhost';

-- lmtpd does the milter's work by another door.
GRANT SELECT ON schema_version TO 'mailrow-lmtp'@'localhost';
GRANT SELECT, INSERT, UPDATE ON mailbox TO 'mailrow-lmtp'@'localhost';
GRANT SELECT, INSERT, UPDATE ON receipt TO 'mailrow-lmtp'@'localhost';
GRANT SELECT, INSERT, UPDATE ON content TO 'mailrow-lmtp'@'localhost';
GRANT INSERT ON chunk TO 'mailrow-lmtp'@'localhost';
GRANT INSERT ON mail TO 'mailrow-lmtp'@'localhost';
GRANT EXECUTE ON PROCEDURE deliver_plain TO 'mailrow-lmtp'@'localhost';
GRANT SELECT ON domain TO 'mailrow-lmtp'@'localhost';
GRANT SELECT (account_id, address, domain, quota, active)
  ON account TO 'mailrow-lmtp'@'localhost';
GRANT SELECT ON alias TO 'mailrow-lmtp'@'localhost';
GRANT SELECT ON served TO 'mailrow-lmtp'@'localhost';
GRANT SELECT ON network TO 'mailrow-lmtp'@'localhost';
GRANT SELECT ON policy_mode TO 'mailrow-lmtp'@'localhost';
GRANT SELECT ON account_policy TO 'mailrow-lmtp'@'localhost';
GRANT SELECT ON access_rule TO 'mailrow-lmtp'@'localhost';
GRANT SELECT ON send_as TO 'mailrow-lmtp'@'localhost';
GRANT SELECT ON policy_limit TO 'mailrow-lmtp'@'localhost';
GRANT SELECT ON policy_generation TO 'mailrow-lmtp'@'localhost';
GRANT SELECT, INSERT, UPDATE ON limit_usage TO 'mailrow-lmtp'@'localhost';
GRANT INSERT ON decision TO 'mailrow-lmtp'@'localhost';

-- authd reads accounts and no mail.
GRANT SELECT ON schema_version TO 'mailrow-auth'@'localhost';
GRANT SELECT (mailbox_id, address) ON mailbox TO 'mailrow-auth'@'localhost';
GRANT SELECT, INSERT, UPDATE ON last_login TO 'mailrow-auth'@'localhost';
GRANT SELECT, INSERT, UPDATE, DELETE ON attacker TO 'mailrow-auth'@'localhost';
GRANT SELECT ON domain TO 'mailrow-auth'@'localhost';
GRANT SELECT ON account TO 'mailrow-auth'@'localhost';
-- It changes no account; with rehash_on_login = yes it must, and needs also
--   GRANT UPDATE (password) ON account TO 'mailrow-auth'@'localhost';
GRANT SELECT ON app_password TO 'mailrow-auth'@'localhost';
GRANT UPDATE (last_used_at, last_used_from)
  ON app_password TO 'mailrow-auth'@'localhost';
GRANT SELECT, INSERT, UPDATE, DELETE
  ON login_history TO 'mailrow-auth'@'localhost';

-- pop3d reads mail and moves it to the trash; it sees no account and writes no
-- mail. What it adds to the trash is what it took from mail.
GRANT SELECT ON schema_version TO 'mailrow-pop3'@'localhost';
GRANT SELECT ON mailbox TO 'mailrow-pop3'@'localhost';
GRANT UPDATE (messages, octets) ON mailbox TO 'mailrow-pop3'@'localhost';
GRANT SELECT, DELETE ON mail TO 'mailrow-pop3'@'localhost';
GRANT SELECT, INSERT ON trash TO 'mailrow-pop3'@'localhost';
GRANT SELECT ON chunk TO 'mailrow-pop3'@'localhost';
GRANT SELECT ON retention TO 'mailrow-pop3'@'localhost';
GRANT SELECT, INSERT (mailbox_id),
  UPDATE (holder, keeper, claim, fence, beat, expires_at)
  ON lease TO 'mailrow-pop3'@'localhost';
GRANT SELECT (content_id, octets, header_octets, sha256) ON content
  TO 'mailrow-pop3'@'localhost';

-- The verbs purge, undelete, mailbox erase, and what verify --repair changes:
-- the only ones that delete mail for good. They read no message's body and no
-- password. INSERT into content: verify makes chunks without a content one that
-- nobody can claim, and so the purge's.
GRANT SELECT ON schema_version TO 'mailrow-purge'@'localhost';
GRANT SELECT, INSERT, UPDATE, DELETE ON mailbox TO 'mailrow-purge'@'localhost';
GRANT SELECT, INSERT, DELETE ON mail TO 'mailrow-purge'@'localhost';
GRANT SELECT, INSERT, DELETE ON trash TO 'mailrow-purge'@'localhost';
GRANT SELECT, INSERT, UPDATE, DELETE ON content TO 'mailrow-purge'@'localhost';
GRANT SELECT (content_id, seq), DELETE ON chunk TO 'mailrow-purge'@'localhost';
GRANT SELECT, DELETE ON receipt TO 'mailrow-purge'@'localhost';
GRANT SELECT, DELETE ON last_login TO 'mailrow-purge'@'localhost';
GRANT SELECT, DELETE ON lease TO 'mailrow-purge'@'localhost';
GRANT SELECT ON retention TO 'mailrow-purge'@'localhost';
GRANT SELECT, DELETE ON limit_usage TO 'mailrow-purge'@'localhost';
GRANT SELECT, DELETE ON charge_slot TO 'mailrow-purge'@'localhost';
GRANT SELECT, INSERT, UPDATE ON purge_step TO 'mailrow-purge'@'localhost';
GRANT SELECT (decision_id, at, predicate), DELETE ON decision
  TO 'mailrow-purge'@'localhost';
GRANT SELECT ON domain TO 'mailrow-purge'@'localhost';
GRANT SELECT (account_id, address, domain, quota, active)
  ON account TO 'mailrow-purge'@'localhost';

-- The tool, in the hands of the administrator. It deletes no mail.
GRANT SELECT, INSERT, UPDATE, CREATE, ALTER, INDEX, CREATE ROUTINE, CREATE VIEW,
  TRIGGER
  ON * TO 'mailrow-admin'@'localhost';
GRANT DELETE ON domain TO 'mailrow-admin'@'localhost';
GRANT DELETE ON account TO 'mailrow-admin'@'localhost';
GRANT DELETE ON alias TO 'mailrow-admin'@'localhost';
GRANT DELETE ON app_password TO 'mailrow-admin'@'localhost';
GRANT DELETE ON login_history TO 'mailrow-admin'@'localhost';
GRANT DELETE ON served TO 'mailrow-admin'@'localhost';
GRANT DELETE ON retention TO 'mailrow-admin'@'localhost';
GRANT DELETE ON network TO 'mailrow-admin'@'localhost';
GRANT DELETE ON policy_mode TO 'mailrow-admin'@'localhost';
GRANT DELETE ON account_policy TO 'mailrow-admin'@'localhost';
GRANT DELETE ON access_rule TO 'mailrow-admin'@'localhost';
GRANT DELETE ON send_as TO 'mailrow-admin'@'localhost';
GRANT DELETE ON policy_limit TO 'mailrow-admin'@'localhost';
GRANT DELETE ON limit_usage TO 'mailrow-admin'@'localhost';

-- Postfix's maps (packaging/postfix): which domains are ours, what is served.
CREATE USER IF NOT EXISTS 'postfix'@'localhost'
  IDENTIFIED WITH /*M! unix_socket */ /*!80000 auth_socket */;
GRANT SELECT (name, active) ON domain TO 'postfix'@'localhost';
GRANT SELECT ON served TO 'postfix'@'localhost';
