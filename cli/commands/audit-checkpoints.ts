/**
 * Verifies the audit log against kept checkpoints: the log must still begin with the records that each checkpoint covers.
 * The tree is computed from the records. If the service no longer has some of them, a consistency proof of the service must
 * lead from the checkpoint to the computed tree.
 */
import { readFileSync } from 'node:fs';
import type { AuditRecord, KnownRecord } from '../../shared/audit.ts';
import { fromBase64 } from '../../shared/bytes.ts';
import { auditLeaf, type Checkpoint, parseCheckpoint } from '../../shared/checkpoint.ts';
import type { ConsistencyProof, InclusionProof } from '../../shared/evidence.ts';
import { edgeBefore, equalHashes, GrowingTree, verifyConsistency } from '../../shared/merkle.ts';
import {
  type NoteVerifier,
  notesIn,
  openVerifier,
  type SignedNote,
  verifyNote,
} from '../../shared/signed-note.ts';
import type { Admin } from '../admin.ts';
import { CommandFailure, describeFileError } from '../failure.ts';
import { count } from '../terminal/figures.ts';

/** Length of a SHA-256 hash. */
const HASH_BYTES = 32;

export type CheckpointProblem =
  | 'UNREADABLE'
  | 'KEY_OTHER'
  | 'SIGNATURE_WRONG'
  | 'ORIGIN_OTHER'
  | 'LOG_SHORTER'
  | 'ROOT_DIFFERS'
  | 'NOT_REACHED';

export interface CheckpointResult {
  /** Line of the file on which the checkpoint begins. */
  readonly line: number;
  /** Leaves of the checkpoint's tree; null if the checkpoint is unreadable. */
  readonly size: number | null;
  readonly problem: CheckpointProblem | null;
  /** What was proven, or what is wrong. */
  readonly message: string;
  /** Whether a key was given, and the checkpoint has a valid signature of that key. */
  readonly signed: boolean;
}

/** A checkpoint that is well-formed and, if keys were given, correctly signed. */
interface Kept {
  readonly line: number;
  readonly checkpoint: Checkpoint;
  readonly signed: boolean;
}

/** @param option name of the option with the keys, for the error message */
export async function openKeys(option: string, texts: readonly string[]): Promise<NoteVerifier[]> {
  return Promise.all(
    texts.map(async (text) => {
      const key = await openVerifier(text.trim());
      if (key !== null) return key;
      throw new CommandFailure(
        `${option} must be a key in the form that npx numgate audit key prints: <name>+<8 hex digits>+<base64>`,
        2,
      );
    }),
  );
}

/** Compares the checkpoints of a file with a log while the records of the log are read. */
export class CheckpointVerifier {
  readonly #kept: Kept[] = [];
  readonly #results: CheckpointResult[] = [];
  /** A tree for each start that the checkpoints name, by the number of the record before it. Usually there is one. */
  readonly #trees = new Map<number, GrowingTree>();
  /** Hash of the record before each tree, by the number of that record. */
  readonly #starts = new Map<number, string>();
  /** Tree sizes at which a root is needed. */
  readonly #sizes = new Set<number>();
  /** Roots at these sizes, by start and size of the tree. */
  readonly #roots = new Map<string, Uint8Array>();
  readonly #consistent = new Map<Kept, { readonly proof: ConsistencyProof; readonly size: number }>();
  /** Start and size of the tree that `begin` continues. Checkpoints up to this size need a proof. */
  #begun: { readonly start: KnownRecord; readonly size: number } | null = null;

  /** @param keys without keys, signatures are not checked */
  static async open(path: string, keys: readonly NoteVerifier[]): Promise<CheckpointVerifier> {
    const verifier = new CheckpointVerifier();
    for (const { line, note } of notesIn(readText(path))) await verifier.#add(line, note, keys);
    if (verifier.#kept.length + verifier.#results.length > 0) return verifier;
    throw new CommandFailure(
      `${path} has no checkpoint: collect checkpoints with curl <service>/v1/audit/checkpoint`,
    );
  }

  async #add(line: number, note: SignedNote | null, keys: readonly NoteVerifier[]): Promise<void> {
    const checkpoint = note === null ? null : parseCheckpoint(note.text);
    const refuse = (problem: CheckpointProblem, message: string): void => {
      this.#results.push({ line, size: checkpoint?.size ?? null, problem, message, signed: false });
    };
    if (note === null || checkpoint === null) {
      refuse('UNREADABLE', 'this is not a checkpoint: it was altered or cut off');
      return;
    }
    const verified = await Promise.all(keys.map((key) => verifyNote(note, key)));
    const by = keys[verified.indexOf(null)];
    if (verified.includes('SIGNATURE_WRONG') && by === undefined) {
      refuse('SIGNATURE_WRONG', 'the checkpoint was altered: the signature of the key does not match it');
    } else if (keys.length > 0 && by === undefined) {
      const names = note.signatures.map(({ name }) => name).join(', ');
      refuse('KEY_OTHER', `it was not signed with the given key, but by ${names}`);
    } else if (by !== undefined && by.name !== checkpoint.origin) {
      refuse('ORIGIN_OTHER', `it belongs to the log ${checkpoint.origin}, but the key belongs to ${by.name}`);
    } else {
      this.#kept.push({ line, checkpoint, signed: by !== undefined });
      this.#sizes.add(checkpoint.size);
    }
  }

  /**
   * Prepares for the log of a service: continues its tree after a record, and fetches proofs for smaller checkpoints.
   * @param behind number of the last record that is not read
   */
  async begin(admin: Admin, behind: number): Promise<void> {
    const proof = await admin.get<InclusionProof>('audit/proof', { n: behind + 1 });
    const { start, index, size } = proof;
    const edge = edgeBefore(index, size, bytesOf(proof.hashes));
    // With another index, the records in between would be in no tree, so nothing would verify them.
    if (edge === null || index !== behind - start.n) {
      const message = `the service returned a proof that is not for record ${count(behind + 1)}`;
      throw new CommandFailure(
        `${message}: do not trust the service, and verify exported files of the log instead`,
      );
    }
    this.#begun = { start, size: index };
    this.#sizes.add(size);
    this.#trees.set(start.n, new GrowingTree(index, edge));
    for (const kept of this.#kept) {
      const { size: from } = kept.checkpoint;
      if (from < 1 || from > index || index === 0) continue;
      const consistency = await admin.get<ConsistencyProof>('audit/proof', { from, to: size });
      this.#consistent.set(kept, { proof: consistency, size });
    }
  }

  /** Call with every record of the log, in order. */
  next(record: AuditRecord): void {
    for (const { checkpoint } of this.#kept) {
      const { n } = checkpoint.start;
      if (record.n !== n + 1 || this.#trees.has(n)) continue;
      this.#trees.set(n, new GrowingTree());
      this.#starts.set(n, record.previous);
    }
    if (this.#trees.size === 0) return;
    const leaf = auditLeaf(record);
    for (const [start, tree] of this.#trees) {
      if (record.n !== start + tree.size + 1) continue;
      tree.add(leaf);
      if (this.#sizes.has(tree.size)) this.#roots.set(`${start} ${tree.size}`, tree.root);
    }
  }

  /**
   * Number of the newest records that no valid checkpoint covers. Nothing protects these records yet.
   * @param results of `finish` @param last number of the last record of the log
   */
  uncovered(results: readonly CheckpointResult[], last: number): number {
    const right = new Set(results.filter(({ problem }) => problem === null).map(({ line }) => line));
    const ends = this.#kept
      .filter(({ line }) => right.has(line))
      .map(({ checkpoint }) => checkpoint.start.n + checkpoint.size);
    return Math.max(0, last - Math.max(0, ...ends));
  }

  /** @param isWhole whether the chain is intact up to the end of the log @param last number of the last read record */
  finish(isWhole: boolean, last: number): CheckpointResult[] {
    const results = this.#kept.map((kept): CheckpointResult => {
      const { line, signed, checkpoint } = kept;
      const { size } = checkpoint;
      return { line, size, signed, ...this.#compare(kept, isWhole, last) };
    });
    return [...this.#results, ...results].sort((a, b) => a.line - b.line);
  }

  #compare(kept: Kept, isWhole: boolean, last: number): Pick<CheckpointResult, 'problem' | 'message'> {
    const { size, root, start } = kept.checkpoint;
    const records = `records ${count(start.n + 1)} to ${count(start.n + size)}`;
    const differs = {
      problem: 'ROOT_DIFFERS',
      message: `${records} differ from those of the checkpoint: the log was rewritten`,
    } as const;
    if (this.#begun !== null && (this.#begun.start.n !== start.n || this.#begun.start.hash !== start.hash)) {
      const message = `its tree begins after record ${count(start.n)}, but that of the service begins after record ${count(this.#begun.start.n)}`;
      return { problem: 'ROOT_DIFFERS', message };
    }
    if (this.#starts.has(start.n) && this.#starts.get(start.n) !== start.hash) return differs;
    if (size === 0) return { problem: null, message: 'it covers no records' };
    const computed = this.#roots.get(`${start.n} ${size}`);
    if (computed !== undefined) {
      return equalHashes(computed, root) ? { problem: null, message: `${records} are unchanged` } : differs;
    }
    const consistent = this.#consistent.get(kept);
    const now = consistent && this.#roots.get(`${start.n} ${consistent.size}`);
    if (consistent !== undefined && now !== undefined) {
      const proof = bytesOf(consistent.proof.hashes);
      if (!verifyConsistency(size, root, consistent.size, now, proof)) return differs;
      const message = `${records} have unchanged hashes; to verify the records that were not read, use their export`;
      return { problem: null, message };
    }
    if (!isWhole) return { problem: 'NOT_REACHED', message: 'the chain is broken before its end' };
    if (start.n + size > last) {
      const message = `the log ends with record ${count(last)}, but had record ${count(start.n + size)}: its end was cut off`;
      return { problem: 'LOG_SHORTER', message };
    }
    const message = `it needs every record from ${count(start.n + 1)} on: also name the earlier exports`;
    return { problem: 'NOT_REACHED', message };
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new CommandFailure(`${path}: ${describeFileError(error)}`);
  }
}

function bytesOf(hashes: readonly string[]): Uint8Array[] {
  return hashes.map((hash) => {
    const bytes = fromBase64(hash);
    if (bytes?.length === HASH_BYTES) return bytes;
    throw new CommandFailure(
      'the service returned a proof without valid hashes: check that NUMGATE_URL points to numgate',
    );
  });
}
