-- The tables of PostfixAdmin 4, as far as they are asked.
CREATE TABLE domain (
  domain varchar(255) NOT NULL,
  description varchar(255) NOT NULL DEFAULT '',
  aliases int(10) NOT NULL DEFAULT 0,
  mailboxes int(10) NOT NULL DEFAULT 0,
  maxquota bigint(20) NOT NULL DEFAULT 0,
  quota bigint(20) NOT NULL DEFAULT 0,
  transport varchar(255) NOT NULL DEFAULT 'virtual',
  backupmx tinyint(1) NOT NULL DEFAULT 0,
  created datetime NOT NULL DEFAULT '2000-01-01 00:00:00',
  modified datetime NOT NULL DEFAULT '2000-01-01 00:00:00',
  active tinyint(1) NOT NULL DEFAULT 1,
  password_expiry int(11) DEFAULT 0,
  PRIMARY KEY (domain)
) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_general_ci;
CREATE TABLE alias_domain (
  alias_domain varchar(255) NOT NULL DEFAULT '',
  target_domain varchar(255) NOT NULL DEFAULT '',
  created datetime NOT NULL DEFAULT '2000-01-01 00:00:00',
  modified datetime NOT NULL DEFAULT '2000-01-01 00:00:00',
  active tinyint(1) NOT NULL DEFAULT 1,
  PRIMARY KEY (alias_domain),
  KEY active (active),
  KEY target_domain (target_domain)
) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_general_ci;
CREATE TABLE mailbox (
  username varchar(255) NOT NULL,
  password varchar(255) NOT NULL,
  name varchar(255) CHARACTER SET utf8mb4 NOT NULL DEFAULT '',
  maildir varchar(255) NOT NULL DEFAULT '',
  quota bigint(20) NOT NULL DEFAULT 0,
  local_part varchar(255) NOT NULL,
  domain varchar(255) NOT NULL,
  created datetime NOT NULL DEFAULT '2000-01-01 00:00:00',
  modified datetime NOT NULL DEFAULT '2000-01-01 00:00:00',
  active tinyint(1) NOT NULL DEFAULT 1,
  password_expiry datetime NOT NULL DEFAULT '2000-01-01 00:00:00',
  totp_secret varchar(255) DEFAULT NULL,
  smtp_active tinyint(1) NOT NULL DEFAULT 1,
  PRIMARY KEY (username),
  KEY domain (domain)
) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_general_ci;
CREATE TABLE alias (
  address varchar(255) NOT NULL,
  goto text NOT NULL,
  domain varchar(255) NOT NULL,
  created datetime NOT NULL DEFAULT '2000-01-01 00:00:00',
  modified datetime NOT NULL DEFAULT '2000-01-01 00:00:00',
  active tinyint(1) NOT NULL DEFAULT 1,
  PRIMARY KEY (address),
  KEY domain (domain)
) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_general_ci;
CREATE TABLE mailbox_app_password (
  id int(11) NOT NULL AUTO_INCREMENT PRIMARY KEY,
  username varchar(255) DEFAULT NULL,
  description varchar(255) DEFAULT NULL,
  password_hash varchar(255) DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

INSERT INTO domain (domain, backupmx, active) VALUES
  ('ALL', 0, 1), ('example.org', 0, 1), ('off.example', 0, 0),
  ('relay.example', 1, 1), ('alias.example', 0, 1), ('catch.example', 0, 1),
  ('blank.example ', 0, 1);
INSERT INTO alias_domain (alias_domain, target_domain)
  VALUES ('alias.example', 'example.org');
INSERT INTO mailbox (username, password, quota, local_part, domain, created,
                     active) VALUES
  ('bob@example.org', 'hash-bob', 5242880, 'bob', 'example.org',
   '2024-05-06 07:08:09', 1),
  ('off@example.org', 'hash-off', 0, 'off', 'example.org', NOW(), 0),
  ('smtp@example.org', 'hash-smtp', 0, 'smtp', 'example.org', NOW(), 1),
  ('pop@example.org', 'hash-pop', 0, 'pop', 'example.org', NOW(), 1),
  ('keep@example.org', 'hash-keep', -1, 'keep', 'example.org', NOW(), 1),
  ('nina@off.example', 'hash-nina', 0, 'nina', 'off.example', NOW(), 1),
  ('ray@relay.example', 'hash-ray', 0, 'ray', 'relay.example', NOW(), 1),
  ('keep@alias.example', 'hash-own', 0, 'keep', 'alias.example', NOW(), 1);
UPDATE mailbox SET smtp_active = 0 WHERE username = 'pop@example.org';
UPDATE domain SET password_expiry = 30 WHERE domain = 'off.example';
UPDATE mailbox SET password_expiry = '2120-01-01'
  WHERE domain = 'off.example';
INSERT INTO mailbox_app_password (username, password_hash) VALUES
  ('bob@example.org', 'hash-phone'), ('bób@example.org', 'hash-stranger');
INSERT INTO alias (address, goto, domain, active) VALUES
  ('bob@example.org', 'bob@example.org', 'example.org', 1),
  ('off@example.org', 'off@example.org', 'example.org', 0),
  ('smtp@example.org', 'smtp@example.org', 'example.org', 1),
  ('pop@example.org', 'pop@example.org', 'example.org', 1),
  ('keep@example.org', 'keep@example.org,bob@example.org', 'example.org', 1),
  ('nina@off.example', 'nina@off.example', 'off.example', 1),
  ('sales@example.org', 'bob@example.org,remote@elsewhere.example',
   'example.org', 1),
  ('gone@example.org', 'bob@example.org', 'example.org', 0),
  ('@catch.example', 'bob@example.org', 'catch.example', 1),
  ('smtp@alias.example', 'bob@example.org', 'alias.example', 1),
  ('off@alias.example', 'bob@example.org', 'alias.example', 0),
  ('team@example.org', 'bob@example.org', 'example.org', 1),
  ('team@alias.example', 'smtp@example.org', 'alias.example', 1);

INSERT INTO domain (domain)
  SELECT CONCAT('d', seq, '.example') FROM seq_1_to_2500;
INSERT INTO alias_domain (alias_domain, target_domain)
  SELECT CONCAT('d', seq, '.example'), CONCAT('d', seq - 1, '.example')
  FROM seq_1_to_500;
INSERT INTO mailbox (username, password, local_part, domain)
  SELECT CONCAT('u', seq, '@d', seq, '.example'), 'h', CONCAT('u', seq),
         CONCAT('d', seq, '.example') FROM seq_1_to_2500;
INSERT INTO alias (address, goto, domain)
  SELECT username, username, domain FROM mailbox WHERE password = 'h';
UPDATE domain SET password_expiry = 30 WHERE domain = 'off.example';
UPDATE mailbox SET password_expiry = '2120-01-01'
  WHERE domain = 'off.example';
INSERT INTO mailbox_app_password (username, password_hash)
  SELECT username, 'h' FROM mailbox WHERE password = 'h';
