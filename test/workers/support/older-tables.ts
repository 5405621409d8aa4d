/**
 * Takes the coordinator's tables back to version 6, like those of a database that predates all later steps.
 */

const LATER_TABLES = [
  ...['guard_hours', 'undo_operations', 'undone_spans', 'undo_ends', 'undo_rows', 'undo_changes'],
  ...['token_holders', 'audit_tiles', 'checkpoints', 'audit_exports', 'detections'],
  ...['proposals', 'proposal_parts', 'qualifications', 'rules', 'feed_unread', 'qualification_notices'],
];

export function makeOlderTables(sql: SqlStorage): void {
  for (const table of LATER_TABLES) sql.exec(`DROP TABLE ${table}`);
  for (const column of ['rule', 'stage']) sql.exec(`ALTER TABLE live_changes DROP COLUMN ${column}`);
  sql.exec('DELETE FROM schema_steps WHERE step > 6');
}
