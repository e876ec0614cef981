-- The tables of Modoboa 2, as far as they are asked.
CREATE TABLE core_user (
  id int(11) NOT NULL AUTO_INCREMENT PRIMARY KEY,
  password varchar(128) NOT NULL,
  is_active tinyint(1) NOT NULL,
  username varchar(254) NOT NULL,
  email varchar(254) NOT NULL,
  UNIQUE KEY username (username)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE admin_domain (
  id int(11) NOT NULL AUTO_INCREMENT PRIMARY KEY,
  name varchar(100) NOT NULL,
  quota int(10) unsigned NOT NULL DEFAULT 0,
  type varchar(20) NOT NULL DEFAULT 'domain',
  enabled tinyint(1) NOT NULL,
  UNIQUE KEY name (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE admin_domainalias (
  id int(11) NOT NULL AUTO_INCREMENT PRIMARY KEY,
  name varchar(100) NOT NULL,
  enabled tinyint(1) NOT NULL,
  target_id int(11) NOT NULL,
  UNIQUE KEY name (name),
  KEY target_id (target_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE admin_mailbox (
  id int(11) NOT NULL AUTO_INCREMENT PRIMARY KEY,
  address varchar(252) NOT NULL,
  quota int(10) unsigned NOT NULL DEFAULT 0,
  use_domain_quota tinyint(1) NOT NULL DEFAULT 0,
  is_send_only tinyint(1) NOT NULL DEFAULT 0,
  domain_id int(11) NOT NULL,
  user_id int(11) NOT NULL,
  UNIQUE KEY user_id (user_id),
  KEY domain_id (domain_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE admin_alias (
  id int(11) NOT NULL AUTO_INCREMENT PRIMARY KEY,
  address varchar(254) NOT NULL,
  enabled tinyint(1) NOT NULL DEFAULT 1,
  internal tinyint(1) NOT NULL DEFAULT 0,
  expire_at datetime(6) DEFAULT NULL,
  domain_id int(11) DEFAULT NULL,
  UNIQUE KEY address (address, internal),
  KEY domain_id (domain_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE modoboa_admin_aliasrecipient (
  id int(11) NOT NULL AUTO_INCREMENT PRIMARY KEY,
  address varchar(254) NOT NULL,
  alias_id int(11) NOT NULL,
  r_alias_id int(11) DEFAULT NULL,
  r_mailbox_id int(11) DEFAULT NULL,
  UNIQUE KEY alias_mailbox (alias_id, r_mailbox_id),
  UNIQUE KEY alias_alias (alias_id, r_alias_id),
  KEY r_alias_id (r_alias_id),
  KEY r_mailbox_id (r_mailbox_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE admin_senderaddress (
  id int(11) NOT NULL AUTO_INCREMENT PRIMARY KEY,
  address varchar(254) NOT NULL,
  mailbox_id int(11) NOT NULL,
  UNIQUE KEY address (address, mailbox_id),
  KEY mailbox_id (mailbox_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

INSERT INTO admin_domain (id, name, type, enabled) VALUES
  (1, 'example.org', 'domain', 1), (2, 'off.example', 'domain', 0),
  (3, 'relay.example', 'relaydomain', 1), (5, 'catch.example', 'domain', 1),
  (6, 'blank.example ', 'domain', 1);
INSERT INTO admin_domainalias (name, enabled, target_id)
  VALUES ('alias.example', 1, 1);
INSERT INTO core_user (id, password, is_active, username, email) VALUES
  (17, 'hash-bob', 1, 'bob@example.org', 'bob@example.org'),
  (18, 'hash-off', 0, 'off@example.org', 'off@example.org'),
  (19, 'hash-smtp', 1, 'smtp@example.org', 'smtp@example.org'),
  (21, 'hash-keep', 1, 'keep@example.org', 'keep@example.org'),
  (22, 'hash-nina', 1, 'nina@off.example', 'nina@off.example'),
  (23, 'hash-ray', 1, 'ray@relay.example', 'ray@relay.example');
INSERT INTO admin_mailbox (id, address, quota, is_send_only, domain_id,
                           user_id) VALUES
  (7, 'bob', 5, 0, 1, 17), (8, 'off', 0, 0, 1, 18), (9, 'smtp', 0, 1, 1, 19),
  (11, 'keep', 0, 0, 1, 21), (12, 'nina', 0, 0, 2, 22),
  (13, 'ray', 0, 0, 3, 23);
INSERT INTO admin_alias (id, address, enabled, internal, expire_at, domain_id)
  VALUES
  (1, 'bob@example.org', 1, 1, NULL, 1),
  (2, 'keep@example.org', 1, 1, NULL, 1),
  (3, 'sales@example.org', 1, 0, UTC_TIMESTAMP() + INTERVAL 1 DAY, 1),
  (4, 'gone@example.org', 0, 0, NULL, 1),
  (5, '@catch.example', 1, 0, NULL, 5),
  (6, 'past@example.org', 1, 0, UTC_TIMESTAMP() - INTERVAL 1 DAY, 1),
  (7, 'keep@example.org', 1, 0, NULL, 1),
  (8, 'smtp@alias.example', 1, 0, NULL, NULL),
  (9, 'off@alias.example', 0, 0, NULL, NULL),
  (10, 'team@example.org', 1, 0, NULL, 1),
  (11, 'team@alias.example', 1, 0, NULL, NULL);
INSERT INTO modoboa_admin_aliasrecipient (alias_id, address, r_mailbox_id)
  VALUES
  (1, 'bob@example.org', 7), (2, 'keep@example.org', 11),
  (7, 'bob@example.org', 7), (3, 'bob@example.org', 7),
  (3, 'remote@elsewhere.example', NULL), (4, 'bob@example.org', 7),
  (5, 'bob@example.org', 7), (6, 'bob@example.org', 7),
  (8, 'bob@example.org', 7), (9, 'bob@example.org', 7),
  (10, 'bob@example.org', 7), (11, 'smtp@example.org', 9);
INSERT INTO admin_senderaddress (address, mailbox_id) VALUES
  ('robert@elsewhere.example', 7), ('@brand.example', 7);

INSERT INTO admin_domain (id, name, enabled)
  SELECT 100 + seq, CONCAT('d', seq, '.example'), 1 FROM seq_1_to_2500;
INSERT INTO core_user (id, password, is_active, username, email)
  SELECT 100 + seq, 'h', 1, CONCAT('u', seq, '@d', seq, '.example'),
         CONCAT('u', seq, '@d', seq, '.example') FROM seq_1_to_2500;
INSERT INTO admin_mailbox (id, address, domain_id, user_id)
  SELECT 100 + seq, CONCAT('u', seq), 100 + seq, 100 + seq
  FROM seq_1_to_2500;
INSERT INTO admin_alias (id, address, internal, domain_id)
  SELECT 100 + seq, CONCAT('u', seq, '@d', seq, '.example'), 1, 100 + seq
  FROM seq_1_to_2500;
INSERT INTO modoboa_admin_aliasrecipient (alias_id, address, r_mailbox_id)
  SELECT 100 + seq, CONCAT('u', seq, '@d', seq, '.example'), 100 + seq
  FROM seq_1_to_2500;
INSERT INTO admin_senderaddress (address, mailbox_id)
  SELECT CONCAT('s', seq, '@d', seq, '.example'), 100 + seq
  FROM seq_1_to_2500;
