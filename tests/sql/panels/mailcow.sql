-- The tables of mailcow: dockerized, as far as they are asked.
CREATE TABLE domain (
  domain varchar(255) NOT NULL,
  defquota bigint(20) NOT NULL DEFAULT 3072,
  maxquota bigint(20) NOT NULL DEFAULT 102400,
  quota bigint(20) NOT NULL DEFAULT 102400,
  backupmx tinyint(1) NOT NULL DEFAULT 0,
  relay_all_recipients tinyint(1) NOT NULL DEFAULT 0,
  active tinyint(1) NOT NULL DEFAULT 1,
  PRIMARY KEY (domain)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 ROW_FORMAT=DYNAMIC;
CREATE TABLE alias_domain (
  alias_domain varchar(255) NOT NULL,
  target_domain varchar(255) NOT NULL,
  active tinyint(1) NOT NULL DEFAULT 1,
  PRIMARY KEY (alias_domain),
  KEY active (active),
  KEY target_domain (target_domain)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 ROW_FORMAT=DYNAMIC;
CREATE TABLE alias (
  id int NOT NULL AUTO_INCREMENT,
  address varchar(255) NOT NULL,
  goto text NOT NULL,
  domain varchar(255) NOT NULL,
  internal tinyint(1) NOT NULL DEFAULT 0,
  sender_allowed tinyint(1) NOT NULL DEFAULT 1,
  active tinyint(1) NOT NULL DEFAULT 1,
  PRIMARY KEY (id),
  UNIQUE KEY address (address),
  KEY domain (domain)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 ROW_FORMAT=DYNAMIC;
CREATE TABLE mailbox (
  username varchar(255) NOT NULL,
  password varchar(255) NOT NULL,
  quota bigint(20) NOT NULL DEFAULT 102400,
  local_part varchar(255) NOT NULL,
  domain varchar(255) NOT NULL,
  attributes json,
  kind varchar(100) NOT NULL DEFAULT '',
  authsource enum('mailcow', 'keycloak', 'generic-oidc', 'ldap')
    DEFAULT 'mailcow',
  created datetime(0) NOT NULL DEFAULT NOW(0),
  active tinyint(1) NOT NULL DEFAULT 1,
  PRIMARY KEY (username),
  KEY domain (domain),
  KEY kind (kind)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 ROW_FORMAT=DYNAMIC;
CREATE TABLE sender_acl (
  id int NOT NULL AUTO_INCREMENT,
  logged_in_as varchar(255) NOT NULL,
  send_as varchar(255) NOT NULL,
  external tinyint(1) NOT NULL DEFAULT 0,
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 ROW_FORMAT=DYNAMIC;
CREATE TABLE app_passwd (
  id int NOT NULL AUTO_INCREMENT,
  name varchar(255) NOT NULL,
  mailbox varchar(255) NOT NULL,
  domain varchar(255) NOT NULL,
  password varchar(255) NOT NULL,
  smtp_access tinyint(1) NOT NULL DEFAULT 1,
  pop3_access tinyint(1) NOT NULL DEFAULT 1,
  active tinyint(1) NOT NULL DEFAULT 1,
  PRIMARY KEY (id),
  KEY mailbox (mailbox),
  KEY domain (domain)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 ROW_FORMAT=DYNAMIC;
CREATE TABLE spamalias (
  address varchar(255) NOT NULL,
  goto text NOT NULL,
  validity int(11) NOT NULL,
  PRIMARY KEY (address)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 ROW_FORMAT=DYNAMIC;

INSERT INTO domain (domain, backupmx, active) VALUES
  ('example.org', 0, 1), ('off.example', 0, 0), ('relay.example', 1, 1),
  ('catch.example', 0, 1), ('blank.example ', 0, 1);
INSERT INTO alias_domain (alias_domain, target_domain)
  VALUES ('alias.example', 'example.org');
INSERT INTO mailbox (username, password, quota, local_part, domain, attributes,
                     kind, authsource, created, active) VALUES
  ('bob@example.org', 'hash-bob', 5242880, 'bob', 'example.org',
   '{"force_pw_update": "0", "smtp_access": "1", "pop3_access": "1"}', '',
   'mailcow', '2024-05-06 07:08:09', 1),
  ('off@example.org', 'hash-off', 0, 'off', 'example.org', '{}', '',
   'mailcow', NOW(), 0),
  ('smtp@example.org', 'hash-smtp', 0, 'smtp', 'example.org',
   '{"pop3_access": "0"}', '', 'mailcow', NOW(), 1),
  ('pop@example.org', 'hash-pop', 0, 'pop', 'example.org',
   '{"smtp_access": "0"}', '', 'mailcow', NOW(), 1),
  ('keep@example.org', 'hash-keep', 0, 'keep', 'example.org', NULL, '',
   'mailcow', NOW(), 1),
  ('nina@off.example', 'hash-nina', 0, 'nina', 'off.example', '{}', '',
   'mailcow', NOW(), 1),
  ('ray@relay.example', 'hash-ray', 0, 'ray', 'relay.example', '{}', '',
   'mailcow', NOW(), 1),
  ('deaf@example.org', 'hash-deaf', 0, 'deaf', 'example.org', '{}', '',
   'mailcow', NOW(), 2),
  ('room@example.org', 'hash-room', 0, 'room', 'example.org', '{}',
   'location', 'mailcow', NOW(), 1),
  ('ldap@example.org', 'hash-ldap', 0, 'ldap', 'example.org', '{}', '',
   'ldap', NOW(), 1),
  ('stale@example.org', 'hash-stale', 0, 'stale', 'example.org',
   '{"force_pw_update": "1"}', '', 'mailcow', NOW(), 1);
INSERT INTO app_passwd (name, mailbox, domain, password, smtp_access,
                        pop3_access, active) VALUES
  ('phone', 'bob@example.org', 'example.org', 'hash-phone', 1, 0, 1),
  ('lost', 'bob@example.org', 'example.org', 'hash-lost', 1, 1, 0),
  ('other', 'bób@example.org', 'example.org', 'hash-stranger', 1, 1, 1),
  ('ldap', 'ldap@example.org', 'example.org', 'hash-app', 1, 1, 1);
INSERT INTO alias (address, goto, domain, sender_allowed, active) VALUES
  ('bob@example.org', 'bob@example.org', 'example.org', 1, 1),
  ('keep@example.org', 'keep@example.org,bob@example.org', 'example.org', 1,
   1),
  ('sales@example.org', 'bob@example.org,remote@elsewhere.example',
   'example.org', 1, 1),
  ('info@example.org', 'bob@example.org', 'example.org', 0, 1),
  ('gone@example.org', 'bob@example.org', 'example.org', 1, 0),
  ('@catch.example', 'bob@example.org', 'catch.example', 1, 1),
  ('smtp@alias.example', 'bob@example.org', 'alias.example', 1, 1),
  ('off@alias.example', 'bob@example.org', 'alias.example', 1, 0);
INSERT INTO spamalias (address, goto, validity) VALUES
  ('x1@example.org', 'bob@example.org', UNIX_TIMESTAMP() + 3600),
  ('x2@example.org', 'bob@example.org', UNIX_TIMESTAMP() - 3600);
INSERT INTO sender_acl (logged_in_as, send_as, external) VALUES
  ('bob@example.org', 'robert@elsewhere.example', 1),
  ('bob@example.org', '@brand.example', 0), ('pop@example.org', '*', 0);

INSERT INTO domain (domain)
  SELECT CONCAT('d', seq, '.example') FROM seq_1_to_2500;
INSERT INTO alias_domain (alias_domain, target_domain)
  SELECT CONCAT('a', seq, '.example'), CONCAT('d', seq, '.example')
  FROM seq_1_to_500;
INSERT INTO mailbox (username, password, local_part, domain, attributes)
  SELECT CONCAT('u', seq, '@d', seq, '.example'), 'h', CONCAT('u', seq),
         CONCAT('d', seq, '.example'), '{}' FROM seq_1_to_2500;
INSERT INTO alias (address, goto, domain)
  SELECT username, username, domain FROM mailbox WHERE password = 'h';
INSERT INTO app_passwd (name, mailbox, domain, password)
  SELECT 'app', username, domain, 'h' FROM mailbox WHERE password = 'h';
INSERT INTO sender_acl (logged_in_as, send_as)
  SELECT username, CONCAT('s', username) FROM mailbox WHERE password = 'h';
INSERT INTO spamalias (address, goto, validity)
  SELECT CONCAT('t', username), username, UNIX_TIMESTAMP() FROM mailbox
  WHERE password = 'h';
