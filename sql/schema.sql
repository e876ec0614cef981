-- The store and the native accounts. Message octets live only in BLOB and
-- VARBINARY columns; addresses are canonical and compared octet by octet.
-- Every table is InnoDB with a primary key; no foreign keys.

CREATE TABLE schema_version (
  version       INT UNSIGNED NOT NULL PRIMARY KEY,
  oldest_reader INT UNSIGNED NOT NULL
) ENGINE=InnoDB;

CREATE TABLE mailbox (
  mailbox_id      BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  address         VARBINARY(320) NULL,
  incarnation     VARBINARY(64) NOT NULL DEFAULT '',
  uid_next        BIGINT UNSIGNED NOT NULL DEFAULT 16777216,
  messages        BIGINT UNSIGNED NOT NULL DEFAULT 0,
  octets          BIGINT UNSIGNED NOT NULL DEFAULT 0,
  created_at      DATETIME NOT NULL,
  retired_at      DATETIME NULL,
  retired_address VARBINARY(320) NULL,
  UNIQUE KEY address (address),
  KEY retired (retired_address)
) ENGINE=InnoDB;

CREATE TABLE last_login (
  mailbox_id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
  logged_in_at DATETIME NOT NULL,
  door       VARBINARY(16) NOT NULL,
  client     VARBINARY(45) NOT NULL
) ENGINE=InnoDB;

CREATE TABLE content (
  content_id    BINARY(16) NOT NULL PRIMARY KEY,
  octets        BIGINT UNSIGNED NOT NULL,
  header_octets BIGINT UNSIGNED NOT NULL,
  sha256        BINARY(32) NOT NULL,
  refs          INT UNSIGNED NOT NULL,
  stored_at     DATETIME NOT NULL
) ENGINE=InnoDB;

CREATE TABLE chunk (
  content_id BINARY(16) NOT NULL,
  seq        INT UNSIGNED NOT NULL,
  data       MEDIUMBLOB NOT NULL,
  PRIMARY KEY (content_id, seq)
) ENGINE=InnoDB;

CREATE TABLE mail (
  mailbox_id  BIGINT UNSIGNED NOT NULL,
  uid         BIGINT UNSIGNED NOT NULL,
  content_id  BINARY(16) NOT NULL,
  trace       VARBINARY(8192) NOT NULL,
  octets      BIGINT UNSIGNED NOT NULL,
  uidl        VARBINARY(70) NOT NULL,
  sender      VARBINARY(320) NOT NULL,
  received_at DATETIME NOT NULL,
  PRIMARY KEY (mailbox_id, uid),
  KEY content (content_id),
  KEY listing (mailbox_id, uid, octets, uidl, content_id)
) ENGINE=InnoDB;

CREATE TABLE trash (
  mailbox_id  BIGINT UNSIGNED NOT NULL,
  uid         BIGINT UNSIGNED NOT NULL,
  content_id  BINARY(16) NOT NULL,
  trace       VARBINARY(8192) NOT NULL,
  octets      BIGINT UNSIGNED NOT NULL,
  uidl        VARBINARY(70) NOT NULL,
  sender      VARBINARY(320) NOT NULL,
  received_at DATETIME NOT NULL,
  deleted_at  DATETIME NOT NULL,
  deleted_by  VARBINARY(320) NOT NULL,
  deleted_from VARBINARY(45) NOT NULL,
  PRIMARY KEY (mailbox_id, uid),
  KEY content (content_id),
  KEY deleted (deleted_at)
) ENGINE=InnoDB;

CREATE TABLE receipt (
  mailbox_id  BIGINT UNSIGNED NOT NULL,
  `key`       BINARY(16) NOT NULL,
  received_at DATETIME NOT NULL,
  PRIMARY KEY (mailbox_id, `key`),
  KEY received (received_at)
) ENGINE=InnoDB;

CREATE TABLE served (
  name VARBINARY(320) NOT NULL PRIMARY KEY,
  mode ENUM('pass', 'mirror', 'store') NOT NULL
) ENGINE=InnoDB;

-- The native accounts (profile = native).

CREATE TABLE domain (
  name       VARBINARY(255) NOT NULL PRIMARY KEY,
  alias_of   VARBINARY(255) NULL,
  active     TINYINT UNSIGNED NOT NULL DEFAULT 1,
  created_at DATETIME NOT NULL
) ENGINE=InnoDB;

CREATE TABLE account (
  account_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  address    VARBINARY(320) NOT NULL,
  domain     VARBINARY(255) NOT NULL,
  password   VARBINARY(1024) NOT NULL,
  quota      BIGINT UNSIGNED NOT NULL DEFAULT 0,
  active     TINYINT UNSIGNED NOT NULL DEFAULT 1,
  smtp       TINYINT UNSIGNED NOT NULL DEFAULT 1,
  pop3       TINYINT UNSIGNED NOT NULL DEFAULT 1,
  created_at DATETIME NOT NULL,
  UNIQUE KEY address (address),
  KEY domain (domain)
) ENGINE=InnoDB;

INSERT INTO schema_version (version, oldest_reader) VALUES (1, 1);
