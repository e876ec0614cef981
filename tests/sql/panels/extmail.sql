-- The tables of ExtMail, as far as they are asked.
CREATE TABLE alias (
  address varchar(255) NOT NULL DEFAULT '',
  goto text NOT NULL,
  domain varchar(255) NOT NULL DEFAULT '',
  createdate datetime NOT NULL DEFAULT '0000-00-00 00:00:00',
  active tinyint(1) NOT NULL DEFAULT 1,
  PRIMARY KEY (address),
  KEY address (address)
) ENGINE=MyISAM DEFAULT CHARSET=latin1;
CREATE TABLE domain (
  domain varchar(255) NOT NULL DEFAULT '',
  transport varchar(255) DEFAULT NULL,
  disablesmtpd smallint(1),
  disablesmtp smallint(1),
  disableimap smallint(1),
  disablepop3 smallint(1),
  createdate datetime NOT NULL DEFAULT '0000-00-00 00:00:00',
  expiredate date NOT NULL DEFAULT '0000-00-00',
  active tinyint(1) NOT NULL DEFAULT 1,
  PRIMARY KEY (domain),
  KEY domain (domain)
) ENGINE=MyISAM DEFAULT CHARSET=latin1;
CREATE TABLE mailbox (
  username varchar(255) NOT NULL DEFAULT '',
  uid varchar(255) NOT NULL DEFAULT '',
  password varchar(255) NOT NULL DEFAULT '',
  clearpwd varchar(128) NOT NULL DEFAULT '',
  quota varchar(16) NOT NULL DEFAULT '0',
  domain varchar(255) NOT NULL DEFAULT '',
  createdate datetime NOT NULL DEFAULT '0000-00-00 00:00:00',
  expiredate date NOT NULL DEFAULT '0000-00-00',
  active smallint(1) NOT NULL DEFAULT 1,
  disablesmtpd smallint(1),
  disablesmtp smallint(1),
  disableimap smallint(1),
  disablepop3 smallint(1),
  PRIMARY KEY (username),
  KEY username (username)
) ENGINE=MyISAM DEFAULT CHARSET=latin1;

INSERT INTO domain (domain, active) VALUES
  ('example.org', 1), ('off.example', 0), ('alias.example', 1),
  ('catch.example', 1), ('blank.example ', 1);
INSERT INTO mailbox (username, password, quota, domain, createdate, active)
  VALUES
  ('bob@example.org', 'hash-bob', '5242880S,1000C', 'example.org',
   '2024-05-06 07:08:09', 1),
  ('off@example.org', 'hash-off', '0', 'example.org', NOW(), 0),
  ('smtp@example.org', 'hash-smtp', '100C', 'example.org', NOW(), 1),
  ('pop@example.org', 'hash-pop', '100C,700S', 'example.org', NOW(), 1),
  ('keep@example.org', 'hash-keep', '', 'example.org', NOW(), 1),
  ('old@example.org', 'hash-old', '0', 'example.org', NOW(), 1),
  ('soon@example.org', 'hash-soon', '0', 'example.org', NOW(), 1),
  ('nina@off.example', 'hash-nina', '0', 'off.example', NOW(), 1),
  ('keep@alias.example', 'hash-own', '0', 'alias.example', NOW(), 1);
UPDATE mailbox SET disablepop3 = 1 WHERE username = 'smtp@example.org';
UPDATE mailbox SET disablesmtpd = 1 WHERE username = 'pop@example.org';
UPDATE mailbox SET expiredate = '2020-01-01'
  WHERE username = 'old@example.org';
UPDATE mailbox SET expiredate = '2120-01-01'
  WHERE username = 'soon@example.org';
INSERT INTO alias (address, goto, domain, active) VALUES
  ('keep@example.org', 'keep@example.org,bob@example.org', 'example.org', 1),
  ('sales@example.org', 'bob@example.org,remote@elsewhere.example',
   'example.org', 1),
  ('gone@example.org', 'bob@example.org', 'example.org', 0),
  ('@catch.example', 'bob@example.org', 'catch.example', 1),
  ('@alias.example', '@example.org', 'alias.example', 1),
  ('smtp@alias.example', 'bob@example.org', 'alias.example', 1),
  ('off@alias.example', 'bob@example.org', 'alias.example', 0);

INSERT INTO domain (domain)
  SELECT CONCAT('d', seq, '.example') FROM seq_1_to_2500;
INSERT INTO mailbox (username, password, domain)
  SELECT CONCAT('u', seq, '@d', seq, '.example'), 'h',
         CONCAT('d', seq, '.example') FROM seq_1_to_2500;
INSERT INTO alias (address, goto, domain)
  SELECT username, username, domain FROM mailbox WHERE password = 'h';
