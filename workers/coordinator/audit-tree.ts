/**
 * The Merkle tree of the audit log (shared/checkpoint.ts) in SQLite. Hashes are stored in tiles of 256
 * (c2sp.org/tlog-tiles): tile `(0, i)` has leaves, tile `(level, i)` the roots of full tiles of the level below. A
 * proof reads one or two tiles of each level.
 *
 * Changes do not touch the tree. The cron, proofs and trims add the new records, so a bulk change costs nothing extra,
 * and an older log gets its tree in the same way. `removeTrimmed` removes full tiles of trimmed records, except tiles
 * in which a checkpoint ends, so consistency with every checkpoint can be proven forever.
 */
import type { KnownRecord } from '../../shared/audit.ts';
import { auditLeaf } from '../../shared/checkpoint.ts';
import { AUDIT_GROWN_AT_ONCE } from '../../shared/limits/control.ts';
import { GrowingTree, rootHash } from '../../shared/merkle.ts';
import type { AuditLog } from './audit-log.ts';
import type { Meta } from './meta.ts';

/** Hashes of a full tile, tree levels that one tile level spans, and bytes of a hash. */
const TILE = 256;
const LEVELS = 8;
const HASH_BYTES = 32;

interface TreeState {
  readonly size: number;
  /** The last record before the first leaf. */
  readonly start: KnownRecord;
}

export class AuditTree {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  readonly #meta: Meta;
  readonly #audit: AuditLog;

  constructor(storage: DurableObjectStorage, meta: Meta, audit: AuditLog) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#meta = meta;
    this.#audit = audit;
  }

  get state(): TreeState {
    // The tree of an older log begins with the oldest record that was kept.
    return this.#meta.json<TreeState>('auditTree') ?? { size: 0, start: this.#audit.trimmed };
  }

  /** The newest record in the tree. */
  get n(): number {
    const { size, start } = this.state;
    return start.n + size;
  }

  /** The last record that was trimmed. */
  get trimmedTo(): number {
    return this.#audit.trimmed.n;
  }

  /** Adds the next records, at most AUDIT_GROWN_AT_ONCE. @returns the number added */
  grow(): number {
    return this.#storage.transactionSync(() => {
      const { size, start } = this.state;
      // Records are trimmed only after they are in the tree. If some are missing, the tree must not grow past the gap.
      if (this.#audit.trimmed.n > start.n + size) return 0;
      const records = this.#audit.records(start.n + size, AUDIT_GROWN_AT_ONCE);
      if (records.length === 0) return 0;
      const tiles = new OpenTiles(size, (level, i) => this.#tile(level, i) ?? []);
      for (const record of records) tiles.add(auditLeaf(record));
      for (const { level, i, hashes } of tiles.changed) {
        const bytes = new Uint8Array(hashes.length * HASH_BYTES);
        for (const [at, hash] of hashes.entries()) bytes.set(hash, at * HASH_BYTES);
        this.#sql.exec(
          `INSERT INTO audit_tiles (level, i, hashes) VALUES (?, ?, ?)
           ON CONFLICT (level, i) DO UPDATE SET hashes = excluded.hashes`,
          ...[level, i, bytes],
        );
      }
      this.#meta.set('auditTree', { size: size + records.length, start });
      return records.length;
    });
  }

  #tile(level: number, i: number): Uint8Array[] | null {
    const [row] = this.#sql
      .exec<{ hashes: ArrayBuffer }>('SELECT hashes FROM audit_tiles WHERE level = ? AND i = ?', level, i)
      .toArray();
    if (row === undefined) return null;
    return Array.from(
      { length: row.hashes.byteLength / HASH_BYTES },
      (_, at) => new Uint8Array(row.hashes, at * HASH_BYTES, HASH_BYTES),
    );
  }

  /** Whether the hashes that a proof for this size needs are still stored. */
  has(size: number): boolean {
    return size % TILE === 0 || this.#tile(0, Math.floor(size / TILE)) !== null;
  }

  /** Whether the hash of this leaf is still stored. */
  hasLeaf(index: number): boolean {
    return this.#tile(0, Math.floor(index / TILE)) !== null;
  }

  /** Hashes of complete subtrees, for the functions of shared/merkle.ts. Reads each tile once. */
  get reader(): (level: number, i: number) => Uint8Array {
    const tiles = new Map<string, Uint8Array[]>();
    return (level, i) => {
      const tileLevel = Math.floor(level / LEVELS);
      const width = 2 ** (level % LEVELS);
      const [tile, from] = [Math.floor((i * width) / TILE), (i * width) % TILE];
      const key = `${tileLevel} ${tile}`;
      const hashes = tiles.get(key) ?? this.#tile(tileLevel, tile);
      if (hashes === null || hashes.length < from + width) throw new Error('the audit tree lacks a hash');
      tiles.set(key, hashes);
      return folded(hashes.slice(from, from + width));
    };
  }

  root(size: number): Uint8Array {
    return rootHash(size, this.reader);
  }

  /** Keeps the tile in which a checkpoint of this size ends. Call this for every checkpoint. */
  keep(size: number): void {
    this.#sql.exec('UPDATE audit_tiles SET kept = 1 WHERE level = 0 AND i = ?', Math.floor(size / TILE));
  }

  /** Removes hashes of trimmed records. */
  removeTrimmed(): void {
    const trimmed = this.#audit.trimmed.n - this.state.start.n;
    const full = Math.floor(trimmed / TILE);
    this.#sql.exec('DELETE FROM audit_tiles WHERE level = 0 AND i < ? AND kept = 0', full);
  }
}

/** The root of a complete subtree of these leaves. */
function folded(hashes: readonly Uint8Array[]): Uint8Array {
  const tree = new GrowingTree();
  for (const hash of hashes) tree.add(hash);
  return tree.root;
}

interface Tile {
  readonly level: number;
  readonly i: number;
  readonly hashes: Uint8Array[];
}

/** The last tile of each level while leaves are added. */
class OpenTiles {
  readonly #size: number;
  readonly #load: (level: number, i: number) => Uint8Array[];
  readonly #open: Tile[] = [];
  /** Every tile that differs from the stored one. */
  readonly changed = new Set<Tile>();

  constructor(size: number, load: (level: number, i: number) => Uint8Array[]) {
    this.#size = size;
    this.#load = load;
  }

  add(hash: Uint8Array, level = 0): void {
    const tile = this.#tileOf(level);
    tile.hashes.push(hash);
    this.changed.add(tile);
    if (tile.hashes.length < TILE) return;
    this.#open[level] = { level, i: tile.i + 1, hashes: [] };
    this.add(folded(tile.hashes), level + 1);
  }

  #tileOf(level: number): Tile {
    const open = this.#open[level];
    if (open !== undefined) return open;
    const count = Math.floor(this.#size / TILE ** level);
    const i = Math.floor(count / TILE);
    const tile = { level, i, hashes: count % TILE === 0 ? [] : this.#load(level, i) };
    this.#open[level] = tile;
    return tile;
  }
}
