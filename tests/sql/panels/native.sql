-- Mailrow's own tables, from schema.sql.
INSERT INTO domain (name, alias_of, active, created_at) VALUES
  ('example.org', NULL, 1, NOW()), ('off.example', NULL, 0, NOW()),
  ('catch.example', NULL, 1, NOW()), ('blank.example ', NULL, 1, NOW()),
  ('alias.example', 'example.org', 1, NOW());
INSERT INTO account (address, domain, password, quota, active, smtp, pop3,
                     created_at) VALUES
  ('bob@example.org', 'example.org', 'hash-bob', 5242880, 1, 1, 1, NOW()),
  ('off@example.org', 'example.org', 'hash-off', 0, 0, 1, 1, NOW()),
  ('smtp@example.org', 'example.org', 'hash-smtp', 0, 1, 1, 0, NOW()),
  ('pop@example.org', 'example.org', 'hash-pop', 0, 1, 0, 1, NOW()),
  ('keep@example.org', 'example.org', 'hash-keep', 0, 1, 1, 1, NOW()),
  ('nina@off.example', 'off.example', 'hash-nina', 0, 1, 1, 1, NOW()),
  ('keep@alias.example', 'alias.example', 'hash-own', 0, 1, 1, 1, NOW());
UPDATE account SET tls_only = 1, networks = '192.0.2.0/24,2001:db8::/32'
  WHERE address = 'keep@example.org';
INSERT INTO alias (address, target, created_at) VALUES
  ('sales@example.org', 'bob@example.org', NOW()),
  ('sales@example.org', 'remote@elsewhere.example', NOW()),
  ('keep@example.org', 'keep@example.org', NOW()),
  ('keep@example.org', 'bob@example.org', NOW()),
  ('@catch.example', 'bob@example.org', NOW()),
  ('team@example.org', 'bob@example.org', NOW()),
  ('team@alias.example', 'smtp@example.org', NOW());
INSERT INTO domain (name, alias_of, active, created_at)
  SELECT CONCAT('d', seq, '.example'), NULL, 1, NOW() FROM seq_1_to_2500;
INSERT INTO account (address, domain, password, created_at)
  SELECT CONCAT('u', seq, '@d', seq, '.example'),
         CONCAT('d', seq, '.example'), 'h', NOW() FROM seq_1_to_2500;
INSERT INTO alias (address, target, created_at)
  SELECT CONCAT('a', seq, '@d', seq, '.example'),
         CONCAT('u', seq, '@d', seq, '.example'), NOW() FROM seq_1_to_2500;
