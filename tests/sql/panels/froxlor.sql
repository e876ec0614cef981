-- The tables of Froxlor 2, as far as they are asked.
CREATE TABLE mail_users (
  id int(11) NOT NULL AUTO_INCREMENT,
  email varchar(255) NOT NULL DEFAULT '',
  username varchar(255) NOT NULL DEFAULT '',
  password varchar(255) NOT NULL DEFAULT '',
  password_enc varchar(255) NOT NULL DEFAULT '',
  postfix enum('Y','N') NOT NULL DEFAULT 'Y',
  domainid int(11) NOT NULL DEFAULT 0,
  customerid int(11) NOT NULL DEFAULT 0,
  quota bigint(13) NOT NULL DEFAULT 0,
  pop3 tinyint(1) NOT NULL DEFAULT 1,
  imap tinyint(1) NOT NULL DEFAULT 1,
  PRIMARY KEY (id),
  UNIQUE KEY email (email)
) ENGINE=InnoDB DEFAULT CHARSET=utf8 COLLATE=utf8_general_ci;
CREATE TABLE mail_virtual (
  id int(11) NOT NULL AUTO_INCREMENT,
  email varchar(255) NOT NULL DEFAULT '',
  email_full varchar(255) NOT NULL DEFAULT '',
  destination text,
  domainid int(11) NOT NULL DEFAULT 0,
  customerid int(11) NOT NULL DEFAULT 0,
  popaccountid int(11) NOT NULL DEFAULT 0,
  iscatchall tinyint(1) unsigned NOT NULL DEFAULT 0,
  PRIMARY KEY (id),
  KEY email (email)
) ENGINE=InnoDB DEFAULT CHARSET=utf8 COLLATE=utf8_general_ci;
CREATE TABLE panel_customers (
  customerid int(11) unsigned NOT NULL AUTO_INCREMENT,
  loginname varchar(50) NOT NULL,
  deactivated tinyint(1) NOT NULL DEFAULT 0,
  PRIMARY KEY (customerid),
  UNIQUE KEY loginname (loginname)
) ENGINE=InnoDB DEFAULT CHARSET=utf8 COLLATE=utf8_general_ci;
CREATE TABLE panel_domains (
  id int(11) unsigned NOT NULL AUTO_INCREMENT,
  domain varchar(255) NOT NULL,
  customerid int(11) unsigned NOT NULL DEFAULT 0,
  isemaildomain tinyint(1) NOT NULL DEFAULT 0,
  deactivated tinyint(1) NOT NULL DEFAULT 0,
  PRIMARY KEY (id),
  KEY customerid (customerid),
  KEY domain (domain)
) ENGINE=InnoDB DEFAULT CHARSET=utf8 COLLATE=utf8_general_ci;

INSERT INTO panel_customers (customerid, loginname, deactivated) VALUES
  (1, 'web1', 0), (2, 'web2', 1);
INSERT INTO panel_domains (domain, customerid, isemaildomain, deactivated)
  VALUES
  ('example.org', 1, 1, 0), ('off.example', 2, 1, 1),
  ('catch.example', 1, 1, 0), ('relay.example', 1, 0, 0),
  ('blank.example ', 1, 1, 0);
INSERT INTO mail_users (id, email, username, password_enc, postfix, customerid,
                        quota, pop3) VALUES
  (7, 'bob@example.org', 'bob@example.org', 'hash-bob', 'Y', 1, 5, 1),
  (8, 'off@example.org', 'off@example.org', 'hash-off', 'Y', 2, 0, 1),
  (9, 'smtp@example.org', 'smtp@example.org', 'hash-smtp', 'Y', 1, 0, 0),
  (10, 'pop@example.org', 'pop@example.org', 'hash-pop', 'N', 1, 0, 1),
  (11, 'keep@example.org', 'keep@example.org', 'hash-keep', 'Y', 1, 0, 1),
  (12, 'nina@off.example', 'nina@off.example', 'hash-nina', 'Y', 2, 0, 1),
  (13, 'carl@example.org', 'c17@example.org', 'hash-carl', 'Y', 1, 0, 1),
  (14, 'all@catch.example', 'all@catch.example', 'hash-all', 'Y', 1, 0, 1);
INSERT INTO mail_virtual (email, email_full, destination, customerid,
                          popaccountid, iscatchall) VALUES
  ('bob@example.org', 'bob@example.org', 'bob@example.org', 1, 7, 0),
  ('keep@example.org', 'keep@example.org', 'keep@example.org bob@example.org',
   1, 11, 0),
  ('sales@example.org', 'sales@example.org',
   'bob@example.org remote@elsewhere.example', 1, 0, 0),
  ('desk@example.org', 'desk@example.org', 'carl@example.org', 1, 0, 0),
  ('gone@example.org', 'gone@example.org', 'bob@example.org', 2, 0, 0),
  ('none@example.org', 'none@example.org', '', 1, 0, 0),
  ('@catch.example', 'all@catch.example', 'bob@example.org', 1, 14, 1);

INSERT INTO panel_customers (customerid, loginname)
  SELECT 100 + seq, CONCAT('c', seq) FROM seq_1_to_2500;
INSERT INTO panel_domains (domain, customerid, isemaildomain)
  SELECT CONCAT('d', seq, '.example'), 100 + seq, 1 FROM seq_1_to_2500;
INSERT INTO mail_users (email, username, password_enc, customerid)
  SELECT CONCAT('u', seq, '@d', seq, '.example'),
         CONCAT('u', seq, '@d', seq, '.example'), 'h', 100 + seq
  FROM seq_1_to_2500;
INSERT INTO mail_virtual (email, email_full, destination, customerid)
  SELECT email, email, email, customerid FROM mail_users
  WHERE password_enc = 'h';
