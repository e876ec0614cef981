-- The daemons' database users and their rights, for the database that is
-- selected: mariadb DATABASE < grants.sql
-- MariaDB and MySQL 8 read it alike. With a server on this host the UNIX user
-- of each daemon is its password; where the server is elsewhere, or the
-- product has no such UNIX user, make the users first, with passwords:
--   CREATE USER 'mailrow-milter'@'HOST' IDENTIFIED BY '...';
-- and write HOST for localhost below.

CREATE USER IF NOT EXISTS 'mailrow-milter'@'localhost'
  IDENTIFIED WITH /*M! unix_socket */ /*!80000 auth_socket */;
CREATE USER IF NOT EXISTS 'mailrow-auth'@'localhost'
  IDENTIFIED WITH /*M! unix_socket */ /*!80000 auth_socket */;
CREATE USER IF NOT EXISTS 'mailrow-pop3'@'localhost'
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
GRANT SELECT (account_id, address, domain, quota, active)
  ON account TO 'mailrow-milter'@'localhost';

-- authd reads accounts and no mail.
GRANT SELECT ON schema_version TO 'mailrow-auth'@'localhost';
GRANT SELECT (mailbox_id, address) ON mailbox TO 'mailrow-auth'@'localhost';
GRANT SELECT, INSERT, UPDATE ON last_login TO 'mailrow-auth'@'localhost';
GRANT SELECT ON domain TO 'mailrow-auth'@'localhost';
GRANT SELECT ON account TO 'mailrow-auth'@'localhost';

-- pop3d reads mail and moves it to the trash; it sees no account and writes no
-- mail. What it adds to the trash is what it took from mail.
GRANT SELECT ON schema_version TO 'mailrow-pop3'@'localhost';
GRANT SELECT ON mailbox TO 'mailrow-pop3'@'localhost';
GRANT UPDATE (messages, octets) ON mailbox TO 'mailrow-pop3'@'localhost';
GRANT SELECT, DELETE ON mail TO 'mailrow-pop3'@'localhost';
GRANT SELECT, INSERT ON trash TO 'mailrow-pop3'@'localhost';
GRANT SELECT ON chunk TO 'mailrow-pop3'@'localhost';

-- The tool, in the hands of the administrator.
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX, CREATE ROUTINE
  ON * TO 'mailrow-admin'@'localhost';
