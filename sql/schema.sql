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
  gone_since      DATETIME NULL,
  UNIQUE KEY address (address),
  KEY retired (retired_address)
) ENGINE=InnoDB;

CREATE TABLE last_login (
  mailbox_id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
  logged_in_at DATETIME NOT NULL,
  door       VARBINARY(16) NOT NULL,
  client     VARBINARY(45) NOT NULL
) ENGINE=InnoDB;

-- From which networks an account logs in; so many rows an account, and for so
-- long, as mailrow-authd says.
CREATE TABLE login_history (
  login    VARBINARY(320) NOT NULL,
  network  VARBINARY(49) NOT NULL,
  door     VARBINARY(16) NOT NULL,
  first_at DATETIME NOT NULL,
  last_at  DATETIME NOT NULL,
  logins   BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (login, network, door),
  KEY last_at (last_at)
) ENGINE=InnoDB;

-- Application passwords, whatever the profile. hash is SHA-256 of 128 random
-- bits; incarnation is that of the account it was made for, NULL: not known.
CREATE TABLE app_password (
  app_password_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  login          VARBINARY(320) NOT NULL,
  label          VARBINARY(64) NOT NULL,
  hash           BINARY(32) NOT NULL,
  incarnation    VARBINARY(64) NULL,
  smtp           TINYINT UNSIGNED NOT NULL DEFAULT 1,
  pop3           TINYINT UNSIGNED NOT NULL DEFAULT 1,
  networks       VARBINARY(1024) NOT NULL DEFAULT '',
  expires_at     DATETIME NULL,
  created_at     DATETIME NOT NULL,
  last_used_at   DATETIME NULL,
  last_used_from VARBINARY(45) NOT NULL DEFAULT '',
  UNIQUE KEY hash (hash),
  UNIQUE KEY label (login, label)
) ENGINE=InnoDB;

-- Failed logins, by address, network and account, in thousandths of a failure;
-- and what the administrator blocks. mailrow-authd of each node reads what the
-- others wrote.
CREATE TABLE attacker (
  who           VARBINARY(320) NOT NULL PRIMARY KEY,
  weight        INT UNSIGNED NOT NULL,
  level         INT UNSIGNED NOT NULL,
  refused_until DATETIME(6) NOT NULL,
  blocked       TINYINT UNSIGNED NOT NULL,
  changed_at    DATETIME(6) NOT NULL,
  KEY changed (changed_at)
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
  KEY deleted (deleted_at, octets)
) ENGINE=InnoDB;

CREATE TABLE receipt (
  mailbox_id  BIGINT UNSIGNED NOT NULL,
  `key`       BINARY(16) NOT NULL,
  received_at DATETIME NOT NULL,
  PRIMARY KEY (mailbox_id, `key`)
) ENGINE=InnoDB;

CREATE TABLE served (
  name VARBINARY(320) NOT NULL PRIMARY KEY,
  mode ENUM('pass', 'mirror', 'store') NOT NULL
) ENGINE=InnoDB;

-- How many days mails stay in a mailbox, of an address or a domain; 0: for ever.
CREATE TABLE retention (
  name VARBINARY(320) NOT NULL PRIMARY KEY,
  days INT UNSIGNED NOT NULL
) ENGINE=InnoDB;

-- What was sent and received in a window of a limit (policy_limit), by the
-- database's clock; started_at in seconds since the epoch, 0: never. noticed,
-- bits: 1, its owner was told that the limit is near; 2, that it is reached.
CREATE TABLE limit_usage (
  subject    VARBINARY(320) NOT NULL,
  direction  ENUM('out', 'in') NOT NULL,
  seconds    INT UNSIGNED NOT NULL,
  started_at BIGINT UNSIGNED NOT NULL DEFAULT 0,
  messages   BIGINT UNSIGNED NOT NULL DEFAULT 0,
  recipients BIGINT UNSIGNED NOT NULL DEFAULT 0,
  octets     BIGINT UNSIGNED NOT NULL DEFAULT 0,
  noticed    TINYINT UNSIGNED NOT NULL DEFAULT 0,
  PRIMARY KEY (subject, direction, seconds)
) ENGINE=InnoDB;

-- The last charge, without a mail, of each database connection of a milter: if
-- the answer to its COMMIT was lost, the number tells whether it was committed.
CREATE TABLE charge_slot (
  slot       BINARY(16) NOT NULL PRIMARY KEY,
  charge     BIGINT UNSIGNED NOT NULL,
  charged_at DATETIME NOT NULL
) ENGINE=InnoDB;

-- Which session has a mailbox for itself (pop3_exclusive = yes); holder NULL:
-- none. The row is made when the mailbox is first opened so. fence grows with
-- each taking, beat with each change: an UPDATE that changes nothing would not
-- be seen by another node. claim tells the takings of one keeper apart: who never
-- read the answer still knows its own.
CREATE TABLE lease (
  mailbox_id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
  holder     VARBINARY(255) NULL,
  keeper     BINARY(16) NULL,
  claim      BIGINT UNSIGNED NOT NULL DEFAULT 0,
  fence      BIGINT UNSIGNED NOT NULL DEFAULT 0,
  beat       BIGINT UNSIGNED NOT NULL DEFAULT 0,
  expires_at DATETIME(3) NULL,
  KEY holder (holder)
) ENGINE=InnoDB;

-- The policy. A program reads all of it at once, as one checked set, and again
-- when policy_generation has changed; the triggers below see to that, so a
-- change by SQL counts as well as one by mailrow(1). Names are canonical: an
-- address, '@domain', '@.domain' (its sub-domains), '*'.

-- Clients by their address; the longest prefix counts. 192.0.2.0/24
CREATE TABLE network (
  network VARBINARY(43) NOT NULL PRIMARY KEY,
  kind    ENUM('trusted', 'webmail', 'partner', 'blocked', 'plain') NOT NULL,
  note    VARBINARY(255) NOT NULL DEFAULT ''
) ENGINE=InnoDB;

-- Which predicates hold: of a domain, or '' for the site.
CREATE TABLE policy_mode (
  predicate VARBINARY(32) NOT NULL,
  domain    VARBINARY(255) NOT NULL DEFAULT '',
  mode      ENUM('off', 'shadow', 'enforce') NOT NULL,
  PRIMARY KEY (predicate, domain)
) ENGINE=InnoDB;

-- What an address may, a '@domain', or '*', the site. NULL: nothing is said
-- here, and the wider name counts. relay_to are domains with blanks between.
CREATE TABLE account_policy (
  name           VARBINARY(320) NOT NULL PRIMARY KEY,
  suspended      TINYINT UNSIGNED NULL,
  expires_at     DATETIME NULL,
  may_send       TINYINT UNSIGNED NULL,
  may_receive    TINYINT UNSIGNED NULL,
  relay          ENUM('yes', 'internal', 'list', 'no') NULL,
  relay_to       VARBINARY(2048) NULL,
  accept_from    ENUM('anyone', 'internal', 'list') NULL,
  require_tls    TINYINT UNSIGNED NULL,
  max_size       BIGINT UNSIGNED NULL,
  max_send_size  BIGINT UNSIGNED NULL,
  max_recipients INT UNSIGNED NULL
) ENGINE=InnoDB;

-- Who may write to whom. scope: an address, '@domain', '*'; sender: an address,
-- 'local@', '@domain', '@.domain', '<>' or '*'. The narrowest scope with a
-- match decides, and in it the narrowest sender.
CREATE TABLE access_rule (
  scope  VARBINARY(320) NOT NULL,
  sender VARBINARY(320) NOT NULL,
  action ENUM('allow', 'deny') NOT NULL,
  note   VARBINARY(255) NOT NULL DEFAULT '',
  PRIMARY KEY (scope, sender)
) ENGINE=InnoDB;

-- As whom else a login may send. login: an address or '@domain'; sender: an
-- address, '@domain', '@.domain' or '*'.
CREATE TABLE send_as (
  login  VARBINARY(320) NOT NULL,
  sender VARBINARY(320) NOT NULL,
  PRIMARY KEY (login, sender)
) ENGINE=InnoDB;

-- How much in a window of so many seconds. subject: an address; '@domain', the
-- domain as a whole; '*', each account without rows of its own; '@*', each
-- domain without rows of its own. NULL: as much as it likes.
CREATE TABLE policy_limit (
  subject    VARBINARY(320) NOT NULL,
  direction  ENUM('out', 'in') NOT NULL,
  seconds    INT UNSIGNED NOT NULL,
  messages   BIGINT UNSIGNED NULL,
  recipients BIGINT UNSIGNED NULL,
  octets     BIGINT UNSIGNED NULL,
  PRIMARY KEY (subject, direction, seconds)
) ENGINE=InnoDB;

CREATE TABLE policy_generation (
  id         TINYINT UNSIGNED NOT NULL PRIMARY KEY,
  generation BIGINT UNSIGNED NOT NULL
) ENGINE=InnoDB;
INSERT INTO policy_generation (id, generation) VALUES (1, 1);

CREATE TRIGGER network_insert AFTER INSERT ON network FOR EACH ROW
  UPDATE policy_generation SET generation = generation + 1 WHERE id = 1;
CREATE TRIGGER network_update AFTER UPDATE ON network FOR EACH ROW
  UPDATE policy_generation SET generation = generation + 1 WHERE id = 1;
CREATE TRIGGER network_delete AFTER DELETE ON network FOR EACH ROW
  UPDATE policy_generation SET generation = generation + 1 WHERE id = 1;
CREATE TRIGGER policy_mode_insert AFTER INSERT ON policy_mode FOR EACH ROW
  UPDATE policy_generation SET generation = generation + 1 WHERE id = 1;
CREATE TRIGGER policy_mode_update AFTER UPDATE ON policy_mode FOR EACH ROW
  UPDATE policy_generation SET generation = generation + 1 WHERE id = 1;
CREATE TRIGGER policy_mode_delete AFTER DELETE ON policy_mode FOR EACH ROW
  UPDATE policy_generation SET generation = generation + 1 WHERE id = 1;
CREATE TRIGGER account_policy_insert AFTER INSERT ON account_policy FOR EACH ROW
  UPDATE policy_generation SET generation = generation + 1 WHERE id = 1;
CREATE TRIGGER account_policy_update AFTER UPDATE ON account_policy FOR EACH ROW
  UPDATE policy_generation SET generation = generation + 1 WHERE id = 1;
CREATE TRIGGER account_policy_delete AFTER DELETE ON account_policy FOR EACH ROW
  UPDATE policy_generation SET generation = generation + 1 WHERE id = 1;
CREATE TRIGGER access_rule_insert AFTER INSERT ON access_rule FOR EACH ROW
  UPDATE policy_generation SET generation = generation + 1 WHERE id = 1;
CREATE TRIGGER access_rule_update AFTER UPDATE ON access_rule FOR EACH ROW
  UPDATE policy_generation SET generation = generation + 1 WHERE id = 1;
CREATE TRIGGER access_rule_delete AFTER DELETE ON access_rule FOR EACH ROW
  UPDATE policy_generation SET generation = generation + 1 WHERE id = 1;
CREATE TRIGGER send_as_insert AFTER INSERT ON send_as FOR EACH ROW
  UPDATE policy_generation SET generation = generation + 1 WHERE id = 1;
CREATE TRIGGER send_as_update AFTER UPDATE ON send_as FOR EACH ROW
  UPDATE policy_generation SET generation = generation + 1 WHERE id = 1;
CREATE TRIGGER send_as_delete AFTER DELETE ON send_as FOR EACH ROW
  UPDATE policy_generation SET generation = generation + 1 WHERE id = 1;
CREATE TRIGGER policy_limit_insert AFTER INSERT ON policy_limit FOR EACH ROW
  UPDATE policy_generation SET generation = generation + 1 WHERE id = 1;
CREATE TRIGGER policy_limit_update AFTER UPDATE ON policy_limit FOR EACH ROW
  UPDATE policy_generation SET generation = generation + 1 WHERE id = 1;
CREATE TRIGGER policy_limit_delete AFTER DELETE ON policy_limit FOR EACH ROW
  UPDATE policy_generation SET generation = generation + 1 WHERE id = 1;

-- How far mailrow purge has come in what it walks from end to end, and when it
-- last came to the end.
CREATE TABLE purge_step (
  name        VARBINARY(16) NOT NULL PRIMARY KEY,
  position    VARBINARY(32) NOT NULL,
  finished_at DATETIME NULL
) ENGINE=InnoDB;

-- What was decided about mails, and on what facts: a row for the predicate that
-- decided, and one for each that would have in its place, had it not been in
-- shadow. Written behind the mail's back, and not each one (decision_log);
-- mailrow purge keeps it small. at is the clock of the host that decided; smtp 0
-- means accepted.
CREATE TABLE decision (
  decision_id VARBINARY(10) NOT NULL,
  at          DATETIME NOT NULL,
  node        VARBINARY(255) NOT NULL,
  way         VARBINARY(8) NOT NULL,
  stage       VARBINARY(8) NOT NULL,
  predicate   VARBINARY(32) NOT NULL,
  domain      VARBINARY(255) NOT NULL,
  shadow      TINYINT UNSIGNED NOT NULL,
  smtp        SMALLINT UNSIGNED NOT NULL,
  enhanced    VARBINARY(12) NOT NULL,
  reply       VARBINARY(512) NOT NULL,
  queue_id    VARBINARY(63) NOT NULL,
  client      VARBINARY(45) NOT NULL,
  port        SMALLINT UNSIGNED NOT NULL,
  tls         VARBINARY(95) NOT NULL,
  helo        VARBINARY(255) NOT NULL,
  login       VARBINARY(320) NOT NULL,
  sender      VARBINARY(320) NOT NULL,
  recipient   VARBINARY(320) NOT NULL,
  size        BIGINT UNSIGNED NOT NULL,
  header_from VARBINARY(320) NOT NULL,
  PRIMARY KEY (decision_id, predicate),
  KEY at (at)
) ENGINE=InnoDB;

-- For reports: decisions by day, by login, and what would have been rejected.
CREATE SQL SECURITY INVOKER VIEW decision_daily AS
  SELECT CAST(at AS DATE) AS day, predicate, shadow, smtp,
         COUNT(*) AS decisions, COUNT(DISTINCT client) AS clients
  FROM decision
  GROUP BY CAST(at AS DATE), predicate, shadow, smtp;

CREATE SQL SECURITY INVOKER VIEW decision_by_login AS
  SELECT login, predicate, shadow, COUNT(*) AS decisions,
         MIN(at) AS first_at, MAX(at) AS last_at
  FROM decision WHERE login <> ''
  GROUP BY login, predicate, shadow;

CREATE SQL SECURITY INVOKER VIEW decision_by_client AS
  SELECT client, predicate, shadow, COUNT(*) AS decisions,
         MIN(at) AS first_at, MAX(at) AS last_at
  FROM decision WHERE client <> ''
  GROUP BY client, predicate, shadow;

CREATE SQL SECURITY INVOKER VIEW decision_in_shadow AS
  SELECT predicate, domain, login, COUNT(*) AS hits,
         MIN(at) AS first_at, MAX(at) AS last_at
  FROM decision WHERE shadow <> 0
  GROUP BY predicate, domain, login;

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
  tls_only   TINYINT UNSIGNED NOT NULL DEFAULT 0,
  networks   VARBINARY(1024) NOT NULL DEFAULT '',
  created_at DATETIME NOT NULL,
  UNIQUE KEY address (address),
  KEY domain (domain)
) ENGINE=InnoDB;

-- A row for each target; address may be '@domain', the catch-all. A target
-- that is the address itself means: store it here too.
CREATE TABLE alias (
  address    VARBINARY(320) NOT NULL,
  target     VARBINARY(320) NOT NULL,
  created_at DATETIME NOT NULL,
  PRIMARY KEY (address, target)
) ENGINE=InnoDB;

-- The plain case of a delivery, one mailbox and one chunk, in one round trip.
-- p_uid is the uid; or NULL when there is more to it (a duplicate, a full or a
-- retired mailbox): then nothing is stored and the caller goes step by step.
-- p_key is NULL for a mail that is never taken for a duplicate; p_uidl is what
-- follows the uid in the UIDL. p_alone is 0 in a transaction of the caller, who
-- then commits, or has nothing left to roll back.
DELIMITER //
CREATE PROCEDURE deliver_plain(
  p_mailbox BIGINT UNSIGNED, p_quota BIGINT UNSIGNED,
  p_key BINARY(16), p_window INT UNSIGNED,
  p_content BINARY(16), p_header_octets BIGINT UNSIGNED,
  p_sha256 BINARY(32), p_data MEDIUMBLOB,
  p_trace VARBINARY(8192), p_uidl VARBINARY(70), p_sender VARBINARY(320),
  p_alone TINYINT, OUT p_uid BIGINT UNSIGNED)
SQL SECURITY INVOKER
plain: BEGIN
  -- a statement that names p_data costs a copy of it
  DECLARE v_body BIGINT UNSIGNED DEFAULT LENGTH(p_data);
  DECLARE v_octets BIGINT UNSIGNED DEFAULT v_body + LENGTH(p_trace);
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    ROLLBACK;
    RESIGNAL;
  END;
  IF p_alone THEN
    START TRANSACTION;
  END IF;
  IF p_key IS NOT NULL THEN
    INSERT INTO receipt (mailbox_id, `key`, received_at)
      VALUES (p_mailbox, p_key, UTC_TIMESTAMP())
      ON DUPLICATE KEY UPDATE received_at =
        IF(received_at < UTC_TIMESTAMP() - INTERVAL p_window SECOND,
           UTC_TIMESTAMP(), received_at);
    IF ROW_COUNT() = 0 THEN
      ROLLBACK;
      LEAVE plain;
    END IF;
  END IF;
  INSERT INTO content
    (content_id, octets, header_octets, sha256, refs, stored_at)
    VALUES (p_content, v_body, p_header_octets, p_sha256, 1, UTC_TIMESTAMP());
  INSERT INTO chunk (content_id, seq, data) VALUES (p_content, 0, p_data);
  UPDATE mailbox SET messages = messages + 1, octets = octets + v_octets,
    uid_next = LAST_INSERT_ID(uid_next) + 1
    WHERE mailbox_id = p_mailbox AND address IS NOT NULL
      AND (p_quota = 0 OR octets + v_octets <= p_quota);
  IF ROW_COUNT() <> 1 THEN
    ROLLBACK;
    LEAVE plain;
  END IF;
  SET p_uid = LAST_INSERT_ID();
  INSERT INTO mail (mailbox_id, uid, content_id, trace, octets, uidl,
                    sender, received_at)
    VALUES (p_mailbox, p_uid, p_content, p_trace, v_octets,
            CONCAT(p_uid, p_uidl), p_sender, UTC_TIMESTAMP());
  IF p_alone THEN
    COMMIT;
  END IF;
END//
DELIMITER ;

INSERT INTO schema_version (version, oldest_reader) VALUES (1, 1);
