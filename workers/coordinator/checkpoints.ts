/**
 * Checkpoints of the audit log: at most one an hour, and only if the log has grown. They are signed with
 * CHECKPOINT_KEY. The newest is also in KV. The public route reads it there, so its traffic cannot load the
 * coordinator. All checkpoints of the last days are kept, and one for each earlier day.
 */

import { toBase64 } from '../../shared/bytes.ts';
import { formatCheckpoint } from '../../shared/checkpoint.ts';
import type { AuditProof, CheckpointInfo, ConsistencyProof, InclusionProof } from '../../shared/evidence.ts';
import {
  AUDIT_GROWN_PER_SWEEP,
  CHECKPOINT_INTERVAL_MS,
  CHECKPOINTS_HOURLY_MS,
} from '../../shared/limits/control.ts';
import { EVIDENCE_CHECKPOINTS_MAX } from '../../shared/limits/evidence-files.ts';
import { consistencyProof, inclusionProof } from '../../shared/merkle.ts';
import { AUDIT_CHECKPOINT_KEY } from '../../shared/release/kv-keys.ts';
import { ok } from '../../shared/result.ts';
import type { NoteSigner } from '../../shared/signed-note.ts';
import { DAY_MS } from '../../shared/time.ts';
import { warnFailed } from '../log.ts';
import type { AuditTree } from './audit-tree.ts';
import { type ChangeResult, refuseField } from './change-request.ts';
import type { EvidenceTree } from './evidence-tree.ts';
import type { Meta } from './meta.ts';

export class Checkpoints {
  readonly #sql: SqlStorage;
  readonly #meta: Meta;
  readonly #tree: AuditTree;
  readonly #signer: NoteSigner | null;
  readonly #kv: KVNamespace;

  /** @param signer null if CHECKPOINT_KEY is not set: the tree still grows, but no checkpoints are made */
  constructor(sql: SqlStorage, meta: Meta, tree: AuditTree, signer: NoteSigner | null, kv: KVNamespace) {
    this.#sql = sql;
    this.#meta = meta;
    this.#tree = tree;
    this.#signer = signer;
    this.#kv = kv;
  }

  /** The newest checkpoint, or null. */
  get newest(): CheckpointInfo | null {
    const [row] = this.#sql
      .exec<{ size: number; at: number; note: string }>(
        'SELECT * FROM checkpoints ORDER BY at DESC, size DESC LIMIT 1',
      )
      .toArray();
    return row === undefined ? null : infoOf(row);
  }

  /** Key for `audit verify`; null if none is set. */
  get verifierKey(): string | null {
    return this.#signer?.verifierKey ?? null;
  }

  /** Checkpoints above a size, in ascending order. */
  page(after: number, limit: number): CheckpointInfo[] {
    return this.#sql
      .exec<{ size: number; at: number; note: string }>(
        'SELECT * FROM checkpoints WHERE size > ? ORDER BY size LIMIT ?',
        ...[after, limit],
      )
      .toArray()
      .map(infoOf);
  }

  /** Called by the cron. */
  async run(now: number): Promise<void> {
    for (let grown = 0; grown < AUDIT_GROWN_PER_SWEEP; ) {
      const added = this.#tree.grow();
      if (added === 0) break;
      grown += added;
      // Let waiting requests in.
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    this.#tree.removeTrimmed();
    await this.#issue(now);
    this.#prune(now);
    await this.#publish().catch((error: unknown) => warnFailed('checkpointFailed', error));
  }

  async #issue(now: number): Promise<void> {
    const { newest } = this;
    const { size, start } = this.#tree.state;
    const isDue = newest === null || now - Date.parse(newest.at) >= CHECKPOINT_INTERVAL_MS;
    if (this.#signer === null || !isDue || size <= (newest?.size ?? 0)) return;
    const root = this.#tree.root(size);
    // Keep the tile before signing, so that a trim in the meantime does not remove it.
    this.#tree.keep(size);
    const note = await this.#signer.sign(formatCheckpoint({ origin: this.#signer.name, size, root, start }));
    this.#sql.exec('INSERT OR IGNORE INTO checkpoints VALUES (?, ?, ?)', size, now, note);
  }

  /** Of checkpoints older than CHECKPOINTS_HOURLY_MS, keeps only the last one of each day. */
  #prune(now: number): void {
    this.#sql.exec(
      `DELETE FROM checkpoints WHERE at < ?
       AND size NOT IN (SELECT MAX(size) FROM checkpoints GROUP BY at / ${DAY_MS})`,
      now - CHECKPOINTS_HOURLY_MS,
    );
  }

  async #publish(): Promise<void> {
    const { newest } = this;
    if (newest === null || this.#meta.text('checkpointKv') === newest.checkpoint) return;
    await this.#kv.put(AUDIT_CHECKPOINT_KEY, newest.checkpoint);
    this.#meta.set('checkpointKv', newest.checkpoint);
  }

  /**
   * The tree of an evidence file, with its own checkpoint. A checkpoint above the newest size is stored like any other.
   * @param size null for the current tree @returns null if CHECKPOINT_KEY is not set
   */
  async evidenceTree(size: number | null, now: number): Promise<ChangeResult<EvidenceTree | null>> {
    for (let grown = 0; grown < AUDIT_GROWN_PER_SWEEP; ) {
      const added = this.#tree.grow();
      if (added === 0) break;
      grown += added;
    }
    if (this.#signer === null) return ok(null);
    const checked = this.#checkSize('size', size ?? this.#tree.state.size);
    if (!checked.ok) return checked;
    const wanted = checked.value;
    const { start } = this.#tree.state;
    const root = this.#tree.root(wanted);
    const earlier = this.#newestBelow(wanted).map(({ size: from, note }) => {
      const hashes = consistencyProof(from, wanted, this.#tree.reader);
      return { size: from, checkpoint: note, hashes: hashes.map(toBase64) };
    });
    const { name, verifierKey } = this.#signer;
    // Keep the tile before signing, as in `#issue`.
    const isNewest = wanted > (this.newest?.size ?? 0);
    if (isNewest) this.#tree.keep(wanted);
    const checkpoint = await this.#signer.sign(formatCheckpoint({ origin: name, size: wanted, root, start }));
    if (isNewest && wanted > (this.newest?.size ?? 0))
      this.#sql.exec('INSERT OR IGNORE INTO checkpoints VALUES (?, ?, ?)', wanted, now, checkpoint);
    return ok({
      ...{ origin: name, checkpointKey: verifierKey, size: wanted, root: toBase64(root), start, checkpoint },
      ...{ trimmedTo: this.#tree.trimmedTo, checkpoints: earlier },
    });
  }

  /** In ascending order. */
  #newestBelow(size: number): { readonly size: number; readonly note: string }[] {
    return this.#sql
      .exec<{ size: number; note: string }>(
        'SELECT size, note FROM checkpoints WHERE size < ? ORDER BY size DESC LIMIT ?',
        ...[size, EVIDENCE_CHECKPOINTS_MAX],
      )
      .toArray()
      .reverse();
  }

  /** @param n record number @param size size of the tree; the current size by default */
  inclusion(n: number, size?: number): ChangeResult<InclusionProof> {
    this.#tree.grow();
    const { start } = this.#tree.state;
    const checked = this.#checkSize('size', size ?? this.#tree.state.size);
    if (!checked.ok) return checked;
    const index = n - start.n - 1;
    const end = start.n + checked.value;
    if (index < 0 || index >= checked.value) {
      return refuseField(
        'n',
        `must be a record of this tree, from ${recordName(start.n + 1)} to ${recordName(end)}`,
      );
    }
    if (!this.#tree.hasLeaf(index)) {
      return refuseField('n', 'is a record that was trimmed: compute its proof from your exports');
    }
    const { reader } = this.#tree;
    const hashes = inclusionProof(index, checked.value, reader);
    return ok({ n, index, ...this.#head(checked.value), hashes: hashes.map(toBase64) });
  }

  /** @param from size of the older tree @param to size of the newer tree; the current size by default */
  consistency(from: number, to?: number): ChangeResult<ConsistencyProof> {
    this.#tree.grow();
    const newer = this.#checkSize('to', to ?? this.#tree.state.size);
    if (!newer.ok) return newer;
    if (from < 1 || from > newer.value) {
      return refuseField('from', `must be a size of the tree, from 1 to ${recordName(newer.value)}`);
    }
    const older = this.#checkSize('from', from);
    if (!older.ok) return older;
    const hashes = consistencyProof(from, newer.value, this.#tree.reader);
    const fromRoot = toBase64(this.#tree.root(from));
    return ok({ from, fromRoot, ...this.#head(newer.value), hashes: hashes.map(toBase64) });
  }

  #checkSize(field: string, size: number): ChangeResult<number> {
    const { state } = this.#tree;
    if (size < 1 || size > state.size) {
      return refuseField(field, `must be a size of the tree, from 1 to ${recordName(state.size)}`);
    }
    if (this.#tree.has(size)) return ok(size);
    return refuseField(
      field,
      'is not the size of a checkpoint, and the hashes of this tree were removed with trimmed records',
    );
  }

  #head(size: number): AuditProof {
    return { size, root: toBase64(this.#tree.root(size)), start: this.#tree.state.start };
  }
}

function infoOf({ size, at, note }: { size: number; at: number; note: string }): CheckpointInfo {
  return { size, at: new Date(at).toISOString(), checkpoint: note };
}

/** With commas, so a record number in an error does not look like a phone number. */
function recordName(n: number): string {
  return n.toLocaleString('en');
}
