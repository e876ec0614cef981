-- The tables of ISPConfig 3.2, as far as they are asked.
CREATE TABLE server (
  server_id int(11) unsigned NOT NULL AUTO_INCREMENT,
  server_name varchar(255) NOT NULL DEFAULT '',
  mail_server tinyint(1) NOT NULL DEFAULT 0,
  web_server tinyint(1) NOT NULL DEFAULT 0,
  active tinyint(1) NOT NULL DEFAULT 1,
  PRIMARY KEY (server_id)
) ENGINE=MyISAM DEFAULT CHARSET=utf8;
CREATE TABLE mail_domain (
  domain_id int(11) unsigned NOT NULL AUTO_INCREMENT,
  server_id int(11) unsigned NOT NULL DEFAULT 0,
  domain varchar(255) NOT NULL DEFAULT '',
  active enum('n','y') NOT NULL DEFAULT 'n',
  PRIMARY KEY (domain_id),
  KEY server_id (server_id, domain),
  KEY domain_active (domain, active)
) ENGINE=MyISAM DEFAULT CHARSET=utf8;
CREATE TABLE mail_forwarding (
  forwarding_id int(11) unsigned NOT NULL AUTO_INCREMENT,
  server_id int(11) unsigned NOT NULL DEFAULT 0,
  source varchar(255) NOT NULL DEFAULT '',
  destination text,
  type enum('alias','aliasdomain','forward','catchall') NOT NULL
    DEFAULT 'alias',
  active enum('n','y') NOT NULL DEFAULT 'n',
  allow_send_as enum('n','y') NOT NULL DEFAULT 'n',
  greylisting enum('n','y') NOT NULL DEFAULT 'n',
  PRIMARY KEY (forwarding_id),
  KEY server_id (server_id, source),
  KEY type (type)
) ENGINE=MyISAM DEFAULT CHARSET=utf8;
CREATE TABLE mail_user (
  mailuser_id int(11) unsigned NOT NULL AUTO_INCREMENT,
  server_id int(11) unsigned NOT NULL DEFAULT 0,
  email varchar(255) NOT NULL DEFAULT '',
  login varchar(255) NOT NULL DEFAULT '',
  password varchar(255) NOT NULL DEFAULT '',
  quota bigint(20) NOT NULL DEFAULT -1,
  cc varchar(255) NOT NULL DEFAULT '',
  postfix enum('n','y') NOT NULL DEFAULT 'y',
  access enum('n','y') NOT NULL DEFAULT 'y',
  disableimap enum('n','y') NOT NULL DEFAULT 'n',
  disablepop3 enum('n','y') NOT NULL DEFAULT 'n',
  disabledeliver enum('n','y') NOT NULL DEFAULT 'n',
  disablesmtp enum('n','y') NOT NULL DEFAULT 'n',
  PRIMARY KEY (mailuser_id),
  KEY server_id (server_id, email),
  KEY email_access (email, access)
) ENGINE=MyISAM DEFAULT CHARSET=utf8;

INSERT INTO server (server_name, mail_server, web_server) VALUES
  ('mx1.example.net', 1, 0), ('web.example.net', 0, 1);
INSERT INTO mail_domain (server_id, domain, active) VALUES
  (1, 'example.org', 'y'), (1, 'off.example', 'n'), (1, 'alias.example', 'y'),
  (1, 'catch.example', 'y'), (1, 'blank.example ', 'y');
INSERT INTO mail_user (mailuser_id, server_id, email, login, password, quota)
  VALUES
  (7, 1, 'bob@example.org', 'bob@example.org', 'hash-bob', 5242880),
  (8, 1, 'off@example.org', 'off@example.org', 'hash-off', 0),
  (9, 1, 'smtp@example.org', 'smtp@example.org', 'hash-smtp', -1),
  (10, 1, 'pop@example.org', 'pop@example.org', 'hash-pop', -1),
  (11, 1, 'keep@example.org', 'keep@example.org', 'hash-keep', -1),
  (12, 1, 'nina@off.example', 'nina@off.example', 'hash-nina', -1),
  (13, 1, 'carl@example.org', 'c17@example.org', 'hash-carl', -1),
  (14, 1, 'away@example.org', 'away@example.org', 'hash-away', -1),
  (15, 1, 'keep@alias.example', 'keep@alias.example', 'hash-own', -1);
UPDATE mail_user SET postfix = 'n' WHERE email = 'off@example.org';
UPDATE mail_user SET disablepop3 = 'y' WHERE email = 'smtp@example.org';
UPDATE mail_user SET disablesmtp = 'y' WHERE email = 'pop@example.org';
UPDATE mail_user SET cc = 'bob@example.org' WHERE email = 'keep@example.org';
UPDATE mail_user SET cc = 'bob@example.org', disabledeliver = 'y'
  WHERE email = 'away@example.org';
INSERT INTO mail_forwarding
  (server_id, source, destination, type, active, allow_send_as) VALUES
  (1, 'sales@example.org', 'bob@example.org, remote@elsewhere.example',
   'forward', 'y', 'y'),
  (1, 'info@example.org', 'bob@example.org', 'alias', 'y', 'n'),
  (1, 'desk@example.org', 'carl@example.org', 'alias', 'y', 'y'),
  (1, 'gone@example.org', 'bob@example.org', 'alias', 'n', 'y'),
  (1, '@catch.example', 'bob@example.org', 'catchall', 'y', 'n'),
  (1, '@alias.example', '@example.org', 'aliasdomain', 'y', 'n'),
  (1, 'smtp@alias.example', 'bob@example.org', 'alias', 'y', 'y'),
  (1, 'off@alias.example', 'bob@example.org', 'alias', 'n', 'y');

INSERT INTO mail_domain (server_id, domain, active)
  SELECT 1, CONCAT('d', seq, '.example'), 'y' FROM seq_1_to_2500;
INSERT INTO mail_user (server_id, email, login, password)
  SELECT 1, CONCAT('u', seq, '@d', seq, '.example'),
         CONCAT('u', seq, '@d', seq, '.example'), 'h' FROM seq_1_to_2500;
INSERT INTO mail_forwarding (server_id, source, destination, type, active)
  SELECT 1, CONCAT('a', seq, '@d', seq, '.example'),
         CONCAT('u', seq, '@d', seq, '.example'), 'alias', 'y'
  FROM seq_1_to_2500;
