"""The tables of the ledger."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS accounts (
  uuid TEXT PRIMARY KEY, name TEXT UNIQUE, profile_uuid TEXT, created_ms INTEGER, credit_micro INTEGER,
  captured_micro INTEGER DEFAULT 0, held_micro INTEGER DEFAULT 0, regions TEXT DEFAULT '[]');
CREATE TABLE IF NOT EXISTS api_keys (
  public TEXT PRIMARY KEY, secret TEXT, account TEXT, permissions TEXT, allowed_ips TEXT DEFAULT '[]',
  is_revoked INTEGER DEFAULT 0, expires_ms INTEGER);
CREATE TABLE IF NOT EXISTS nonces (
  public TEXT, nonce TEXT, seen_ms INTEGER, PRIMARY KEY (public, nonce)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS requests (
  id INTEGER PRIMARY KEY, received_ms INTEGER, method TEXT, path TEXT, query TEXT, endpoint TEXT, key TEXT,
  nonce TEXT, x_time TEXT, headers TEXT, body TEXT, connection INTEGER, ordinal INTEGER, verdict TEXT,
  faults TEXT, status INTEGER, finished_ms INTEGER);
CREATE TABLE IF NOT EXISTS jobs (
  id INTEGER PRIMARY KEY, uuid TEXT UNIQUE, account TEXT, key TEXT, request_id INTEGER, recipe_uuid TEXT,
  status TEXT, status_reason TEXT DEFAULT '', created_ms INTEGER, updated_ms INTEGER, started_ms INTEGER,
  completed_ms INTEGER, task TEXT, title TEXT, cpu_count INTEGER, min_ram_gb INTEGER, min_vram_gb INTEGER,
  min_storage_gb INTEGER, spec TEXT, image_size_bytes INTEGER, retries_used INTEGER DEFAULT 0,
  tokens TEXT DEFAULT '[]', life TEXT DEFAULT '[]', next_at_ms INTEGER);
CREATE INDEX IF NOT EXISTS jobs_created ON jobs (account, created_ms, id, status);
CREATE INDEX IF NOT EXISTS jobs_status ON jobs (account, status, created_ms, id);
CREATE INDEX IF NOT EXISTS jobs_due ON jobs (next_at_ms) WHERE next_at_ms IS NOT NULL;
CREATE INDEX IF NOT EXISTS jobs_behaving ON jobs (uuid)
  WHERE completed_ms IS NULL AND instr(spec, '"SANDBOX_BEHAVIOUR"') > 0;
CREATE TABLE IF NOT EXISTS runs (
  id INTEGER PRIMARY KEY, uuid TEXT UNIQUE, job_uuid TEXT, account TEXT, status TEXT,
  status_reason TEXT DEFAULT '', created_ms INTEGER, updated_ms INTEGER, started_ms INTEGER,
  running_ms INTEGER, ended_ms INTEGER, urls_ms INTEGER, node_dead_ms INTEGER, rate_micro INTEGER,
  node TEXT, urls TEXT DEFAULT '[]', tokens TEXT DEFAULT '[]', life TEXT DEFAULT '{}', exit_code INTEGER,
  was_retried INTEGER DEFAULT 0, next_at_ms INTEGER, next_status TEXT DEFAULT '',
  next_reason TEXT DEFAULT '', capture_at_ms INTEGER, billed_micro INTEGER DEFAULT 0);
CREATE INDEX IF NOT EXISTS runs_job ON runs (job_uuid);
CREATE INDEX IF NOT EXISTS runs_created ON runs (account, created_ms, id, status);
CREATE INDEX IF NOT EXISTS runs_status ON runs (account, status, created_ms, id);
CREATE INDEX IF NOT EXISTS runs_due ON runs (next_at_ms) WHERE next_at_ms IS NOT NULL;
CREATE INDEX IF NOT EXISTS runs_capture ON runs (capture_at_ms) WHERE capture_at_ms IS NOT NULL;
CREATE TABLE IF NOT EXISTS containers (run_uuid TEXT PRIMARY KEY, changes TEXT DEFAULT '{}');
CREATE TABLE IF NOT EXISTS written_lines (id INTEGER PRIMARY KEY, run_uuid TEXT, at_ms INTEGER, line TEXT);
CREATE INDEX IF NOT EXISTS written_lines_run ON written_lines (run_uuid);
CREATE TABLE IF NOT EXISTS history (
  id INTEGER PRIMARY KEY, job_uuid TEXT, run_uuid TEXT, at_ms INTEGER, status TEXT, reason TEXT);
CREATE INDEX IF NOT EXISTS history_job ON history (job_uuid);
CREATE TABLE IF NOT EXISTS cancels (
  id INTEGER PRIMARY KEY, job_uuid TEXT, key TEXT, request_id INTEGER, received_ms INTEGER, reason TEXT,
  effect TEXT);
CREATE TABLE IF NOT EXISTS authorizations (
  id INTEGER PRIMARY KEY, uuid TEXT UNIQUE, account TEXT, run_uuid TEXT, amount_micro INTEGER,
  remaining_micro INTEGER, status TEXT, status_reason TEXT, created_ms INTEGER, expires_ms INTEGER,
  closed_ms INTEGER);
CREATE INDEX IF NOT EXISTS authorizations_run ON authorizations (run_uuid);
CREATE INDEX IF NOT EXISTS authorizations_account ON authorizations (account, created_ms, id);
CREATE TABLE IF NOT EXISTS transactions (
  id INTEGER PRIMARY KEY, uuid TEXT UNIQUE, account TEXT, run_uuid TEXT, authorization_uuid TEXT,
  amount_micro INTEGER, type TEXT, created_ms INTEGER, memo TEXT);
CREATE INDEX IF NOT EXISTS transactions_run ON transactions (run_uuid);
CREATE INDEX IF NOT EXISTS transactions_account ON transactions (account, created_ms, id);
"""

LEDGER_TABLES = (
    "nonces", "requests", "jobs", "runs", "history", "cancels", "authorizations", "transactions",
    "containers", "written_lines",
)  # fmt: skip
