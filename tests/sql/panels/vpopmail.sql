-- The tables of vpopmail, as far as they are asked.
CREATE TABLE aliasdomains (
  alias varchar(96) NOT NULL,
  domain varchar(96) NOT NULL,
  PRIMARY KEY (alias)
) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci;
CREATE TABLE dir_control (
  domain varchar(96) NOT NULL,
  cur_users int(11) DEFAULT NULL,
  the_dir varchar(160) DEFAULT NULL,
  PRIMARY KEY (domain)
) ENGINE=MyISAM DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci;
CREATE TABLE limits (
  domain varchar(96) NOT NULL,
  disable_pop tinyint(1) NOT NULL DEFAULT 0,
  disable_imap tinyint(1) NOT NULL DEFAULT 0,
  disable_smtp tinyint(1) NOT NULL DEFAULT 0,
  PRIMARY KEY (domain)
) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci;
CREATE TABLE valias (
  id int(11) NOT NULL AUTO_INCREMENT,
  alias varchar(32) NOT NULL,
  domain varchar(96) NOT NULL,
  valias_line text NOT NULL,
  PRIMARY KEY (id),
  KEY alias (alias, domain)
) ENGINE=MyISAM DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci;
CREATE TABLE vpopmail (
  pw_name varchar(64) NOT NULL,
  pw_domain varchar(96) NOT NULL,
  pw_passwd varchar(128) DEFAULT NULL,
  pw_uid int(11) DEFAULT NULL,
  pw_gid int(11) DEFAULT NULL,
  pw_gecos varchar(64) DEFAULT NULL,
  pw_dir varchar(160) DEFAULT NULL,
  pw_shell varchar(20) DEFAULT NULL,
  PRIMARY KEY (pw_name, pw_domain)
) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci;

INSERT INTO dir_control (domain) VALUES
  ('example.org'), ('catch.example'), ('dom_89'), ('blank.example '),
  ('shut.example');
INSERT INTO aliasdomains (alias, domain)
  VALUES ('alias.example', 'example.org');
INSERT INTO limits (domain, disable_pop, disable_smtp)
  VALUES ('shut.example', 1, 1);
INSERT INTO vpopmail (pw_name, pw_domain, pw_passwd, pw_gid, pw_shell) VALUES
  ('bob', 'example.org', 'hash-bob', 0, '5242880S,1000C'),
  ('off', 'example.org', 'hash-off', 16, 'NOQUOTA'),
  ('smtp', 'example.org', 'hash-smtp', 2, NULL),
  ('pop', 'example.org', 'hash-pop', 2048, '100C'),
  ('keep', 'example.org', 'hash-keep', NULL, 'NOQUOTA'),
  ('norelay', 'example.org', 'hash-norelay', 32, 'NOQUOTA'),
  ('ann', 'shut.example', 'hash-ann', 0, 'NOQUOTA'),
  ('boss', 'shut.example', 'hash-boss', 8192, 'NOQUOTA');
INSERT INTO valias (alias, domain, valias_line) VALUES
  ('sales', 'example.org', '&bob@example.org'),
  ('sales', 'example.org', 'remote@elsewhere.example'),
  ('sales', 'example.org', '|/usr/bin/autorespond'),
  ('keep', 'example.org',
   '/var/vpopmail/domains/example.org/keep/Maildir/'),
  ('keep', 'example.org', '&bob@example.org'),
  ('gone', 'example.org', '|/usr/bin/autorespond'),
  ('file', 'example.org', '/var/vpopmail/domains/example.org/bob/Maildir/');

INSERT INTO dir_control (domain)
  SELECT CONCAT('d', seq, '.example') FROM seq_1_to_2500;
INSERT INTO aliasdomains (alias, domain)
  SELECT CONCAT('a', seq, '.example'), CONCAT('d', seq, '.example')
  FROM seq_1_to_2500;
INSERT INTO limits (domain)
  SELECT CONCAT('d', seq, '.example') FROM seq_1_to_2500;
INSERT INTO vpopmail (pw_name, pw_domain, pw_passwd, pw_gid, pw_shell)
  SELECT CONCAT('u', seq), CONCAT('d', seq, '.example'), 'h', 0, 'NOQUOTA'
  FROM seq_1_to_2500;
INSERT INTO valias (alias, domain, valias_line)
  SELECT CONCAT('a', seq), CONCAT('d', seq, '.example'),
         CONCAT('&u', seq, '@d', seq, '.example') FROM seq_1_to_2500;
