-- The tables of ViMbAdmin 3, as far as they are asked.
CREATE TABLE domain (
  id bigint(20) NOT NULL AUTO_INCREMENT,
  domain varchar(255) NOT NULL,
  max_quota bigint(20) NOT NULL DEFAULT 0,
  quota bigint(20) NOT NULL DEFAULT 0,
  transport varchar(255) NOT NULL DEFAULT 'virtual',
  backupmx tinyint(1) NOT NULL DEFAULT 0,
  active tinyint(1) NOT NULL DEFAULT 1,
  PRIMARY KEY (id),
  UNIQUE KEY IX_Domain_1 (domain)
) ENGINE=InnoDB DEFAULT CHARSET=utf8 COLLATE=utf8_unicode_ci;
CREATE TABLE alias (
  id bigint(20) NOT NULL AUTO_INCREMENT,
  address varchar(255) NOT NULL,
  goto longtext NOT NULL,
  active tinyint(1) NOT NULL DEFAULT 1,
  Domain_id bigint(20) DEFAULT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY UNIQ_E16C6B94D4E6F81 (address),
  KEY IDX_E16C6B9493AE8C46 (Domain_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8 COLLATE=utf8_unicode_ci;
CREATE TABLE mailbox (
  id bigint(20) NOT NULL AUTO_INCREMENT,
  username varchar(255) NOT NULL,
  password varchar(255) NOT NULL,
  quota bigint(20) NOT NULL DEFAULT 0,
  local_part varchar(255) NOT NULL DEFAULT '',
  active tinyint(1) NOT NULL DEFAULT 0,
  access_restriction varchar(100) NOT NULL DEFAULT 'ALL',
  delete_pending tinyint(1) DEFAULT 0,
  Domain_id bigint(20) DEFAULT NULL,
  PRIMARY KEY (id),
  KEY IDX_A69FE20B93AE8C46 (Domain_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8 COLLATE=utf8_unicode_ci;

INSERT INTO domain (id, domain, backupmx, active) VALUES
  (1, 'example.org', 0, 1), (2, 'off.example', 0, 0),
  (3, 'relay.example', 1, 1), (4, 'alias.example', 0, 1),
  (5, 'catch.example', 0, 1), (6, 'blank.example ', 0, 1);
INSERT INTO mailbox (id, username, password, quota, active, access_restriction,
                     delete_pending, Domain_id) VALUES
  (7, 'bob@example.org', 'hash-bob', 5242880, 1, 'ALL', 0, 1),
  (8, 'off@example.org', 'hash-off', 0, 0, 'ALL', 0, 1),
  (9, 'smtp@example.org', 'hash-smtp', 0, 1, 'SMTP,IMAP', NULL, 1),
  (10, 'pop@example.org', 'hash-pop', 0, 1, 'IMAP, POP3', 0, 1),
  (11, 'keep@example.org', 'hash-keep', 0, 1, 'ALL', 0, 1),
  (12, 'nina@off.example', 'hash-nina', 0, 1, 'ALL', 0, 2),
  (13, 'going@example.org', 'hash-going', 0, 1, 'ALL', 1, 1),
  (14, 'ray@relay.example', 'hash-ray', 0, 1, 'ALL', 0, 3),
  (15, 'keep@alias.example', 'hash-own', 0, 1, 'ALL', 0, 4);
INSERT INTO alias (address, goto, active, Domain_id) VALUES
  ('bob@example.org', 'bob@example.org', 1, 1),
  ('keep@example.org', 'keep@example.org,bob@example.org', 1, 1),
  ('sales@example.org', 'bob@example.org,remote@elsewhere.example', 1, 1),
  ('gone@example.org', 'bob@example.org', 0, 1),
  ('@catch.example', 'bob@example.org', 1, 5),
  ('@alias.example', '@example.org', 1, 4),
  ('smtp@alias.example', 'bob@example.org', 1, 4),
  ('off@alias.example', 'bob@example.org', 0, 4);

INSERT INTO domain (id, domain)
  SELECT 100 + seq, CONCAT('d', seq, '.example') FROM seq_1_to_2500;
INSERT INTO mailbox (username, password, active, Domain_id)
  SELECT CONCAT('u', seq, '@d', seq, '.example'), 'h', 1, 100 + seq
  FROM seq_1_to_2500;
INSERT INTO alias (address, goto, Domain_id)
  SELECT username, username, Domain_id FROM mailbox WHERE password = 'h';
