-- The tables of iRedMail's vmail, as far as they are asked.
CREATE TABLE domain (
  domain varchar(255) NOT NULL DEFAULT '',
  transport varchar(255) NOT NULL DEFAULT 'dovecot',
  backupmx tinyint(1) NOT NULL DEFAULT 0,
  settings text,
  created datetime NOT NULL DEFAULT '1970-01-01 01:01:01',
  expired datetime NOT NULL DEFAULT '9999-12-31 00:00:00',
  active tinyint(1) NOT NULL DEFAULT 1,
  PRIMARY KEY (domain),
  INDEX (backupmx),
  INDEX (expired),
  INDEX (active)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
CREATE TABLE alias_domain (
  alias_domain varchar(255) NOT NULL,
  target_domain varchar(255) NOT NULL,
  created datetime NOT NULL DEFAULT '1970-01-01 01:01:01',
  active tinyint(1) NOT NULL DEFAULT 1,
  PRIMARY KEY (alias_domain),
  INDEX (target_domain),
  INDEX (active)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
CREATE TABLE forwardings (
  id bigint(20) unsigned AUTO_INCREMENT,
  address varchar(255) NOT NULL DEFAULT '',
  forwarding varchar(255) NOT NULL DEFAULT '',
  domain varchar(255) NOT NULL DEFAULT '',
  dest_domain varchar(255) NOT NULL DEFAULT '',
  is_maillist tinyint(1) NOT NULL DEFAULT 0,
  is_list tinyint(1) NOT NULL DEFAULT 0,
  is_forwarding tinyint(1) NOT NULL DEFAULT 0,
  is_alias tinyint(1) NOT NULL DEFAULT 0,
  active tinyint(1) NOT NULL DEFAULT 1,
  PRIMARY KEY (id),
  UNIQUE INDEX (address, forwarding),
  INDEX (domain),
  INDEX (dest_domain),
  INDEX (is_maillist),
  INDEX (is_list),
  INDEX (is_alias)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
CREATE TABLE mailbox (
  username varchar(255) NOT NULL DEFAULT '',
  password varchar(255) NOT NULL DEFAULT '',
  quota bigint(20) NOT NULL DEFAULT 0,
  domain varchar(255) NOT NULL DEFAULT '',
  enablesmtp tinyint(1) NOT NULL DEFAULT 1,
  enablesmtpsecured tinyint(1) NOT NULL DEFAULT 1,
  enablepop3 tinyint(1) NOT NULL DEFAULT 1,
  enablepop3secured tinyint(1) NOT NULL DEFAULT 1,
  enablepop3tls tinyint(1) NOT NULL DEFAULT 1,
  enabledeliver tinyint(1) NOT NULL DEFAULT 1,
  allow_nets text DEFAULT NULL,
  created datetime NOT NULL DEFAULT '1970-01-01 01:01:01',
  expired datetime NOT NULL DEFAULT '9999-12-31 00:00:00',
  active tinyint(1) NOT NULL DEFAULT 1,
  PRIMARY KEY (username),
  INDEX (domain),
  INDEX (enablesmtp),
  INDEX (enablepop3),
  INDEX (enabledeliver),
  INDEX (expired),
  INDEX (active)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

INSERT INTO domain (domain, backupmx, active) VALUES
  ('example.org', 0, 1), ('off.example', 0, 0), ('relay.example', 1, 1),
  ('catch.example', 0, 1), ('blank.example ', 0, 1);
INSERT INTO alias_domain (alias_domain, target_domain)
  VALUES ('alias.example', 'example.org');
INSERT INTO mailbox (username, password, quota, domain, created, active)
  VALUES
  ('bob@example.org', 'hash-bob', 5, 'example.org', '2024-05-06 07:08:09', 1),
  ('off@example.org', 'hash-off', 0, 'example.org', NOW(), 0),
  ('smtp@example.org', 'hash-smtp', 0, 'example.org', NOW(), 1),
  ('pop@example.org', 'hash-pop', 0, 'example.org', NOW(), 1),
  ('keep@example.org', 'hash-keep', 0, 'example.org', NOW(), 1),
  ('nina@off.example', 'hash-nina', 0, 'off.example', NOW(), 1),
  ('full@example.org', 'hash-full', 0, 'example.org', NOW(), 1),
  ('ray@relay.example', 'hash-ray', 0, 'relay.example', NOW(), 1);
UPDATE mailbox SET enablepop3secured = 0 WHERE username = 'smtp@example.org';
UPDATE mailbox SET enablesmtp = 0, enablesmtpsecured = 0
  WHERE username = 'pop@example.org';
UPDATE mailbox SET enablesmtp = 0, enablepop3 = 0,
  allow_nets = '192.0.2.0/24,2001:db8::/32' WHERE username = 'keep@example.org';
UPDATE mailbox SET enabledeliver = 0 WHERE username = 'full@example.org';
INSERT INTO forwardings (address, forwarding, domain, is_forwarding, active)
  SELECT username, username, domain, 1, active FROM mailbox;
INSERT INTO forwardings (address, forwarding, domain, is_forwarding) VALUES
  ('keep@example.org', 'bob@example.org', 'example.org', 1),
  ('catch.example', 'bob@example.org', 'catch.example', 0);
INSERT INTO forwardings (address, forwarding, domain, is_alias) VALUES
  ('sales@example.org', 'bob@example.org', 'example.org', 1);
INSERT INTO forwardings (address, forwarding, domain, is_list) VALUES
  ('sales@example.org', 'remote@elsewhere.example', 'example.org', 1);
INSERT INTO forwardings (address, forwarding, domain, is_list, active) VALUES
  ('gone@example.org', 'bob@example.org', 'example.org', 1, 0);
INSERT INTO forwardings (address, forwarding, domain, is_alias, active) VALUES
  ('smtp@alias.example', 'bob@example.org', 'alias.example', 1, 1),
  ('off@alias.example', 'bob@example.org', 'alias.example', 1, 0),
  ('team@example.org', 'bob@example.org', 'example.org', 1, 1),
  ('team@alias.example', 'smtp@example.org', 'alias.example', 1, 1);

INSERT INTO domain (domain)
  SELECT CONCAT('d', seq, '.example') FROM seq_1_to_2500;
INSERT INTO alias_domain (alias_domain, target_domain)
  SELECT CONCAT('a', seq, '.example'), CONCAT('d', seq, '.example')
  FROM seq_1_to_500;
INSERT INTO mailbox (username, password, domain)
  SELECT CONCAT('u', seq, '@d', seq, '.example'), 'h',
         CONCAT('d', seq, '.example') FROM seq_1_to_2500;
INSERT INTO forwardings (address, forwarding, domain, is_forwarding)
  SELECT username, username, domain, 1 FROM mailbox WHERE password = 'h';
