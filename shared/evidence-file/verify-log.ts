/** Verifies the checkpoints, and that each record of the audit log is in the tree of the signed checkpoint. */
import { fromBase64 } from '../bytes.ts';
import { auditLeaf, type Checkpoint, parseCheckpoint } from '../checkpoint.ts';
import { equalHashes, rootOfInclusion, verifyConsistency } from '../merkle.ts';
import { type Failure, ok, type Result } from '../result.ts';
import { type NoteVerifier, notesIn, verifyNote } from '../signed-note.ts';
import type { EvidenceManifest } from './manifest.ts';
import { LOG_PART, type ProofsPart } from './parts.ts';
import { hashesOf, type Records, recordsIn } from './records.ts';
import { counted, type EvidenceProblem, type StepDone, wrong } from './steps.ts';

type Checked<Value> = Result<Value, Failure<EvidenceProblem>>;

/** Returns the checkpoint in a note, if one of these keys signed the note. */
async function signedCheckpoint(
  text: string,
  keys: readonly NoteVerifier[],
  name: string,
): Promise<Checked<Checkpoint>> {
  const [found, ...more] = notesIn(text);
  const checkpoint = found?.note == null ? null : parseCheckpoint(found.note.text);
  if (found?.note == null || checkpoint === null || more.length > 0)
    return wrong('CHECKPOINT_INVALID', `${name} is not a checkpoint: it was altered or cut off`);
  const verified = await Promise.all(keys.map((key) => verifyNote(found.note!, key)));
  const by = keys[verified.indexOf(null)];
  if (by === undefined && verified.includes('SIGNATURE_WRONG'))
    return wrong('CHECKPOINT_INVALID', `${name} was altered: the signature of the key does not match it`);
  if (by === undefined)
    return wrong(
      'SIGNER_OTHER',
      `${name} was not signed with the given key: it belongs to another installation`,
    );
  if (by.name !== checkpoint.origin)
    return wrong('CHECKPOINT_OTHER', `${name} belongs to another log than the key`);
  return ok(checkpoint);
}

/** Verifies that the signed checkpoint is the one that the manifest names. */
export async function verifyCheckpoint(
  text: string,
  { log }: EvidenceManifest,
  keys: readonly NoteVerifier[],
): Promise<Checked<Checkpoint>> {
  const checkpoint = await signedCheckpoint(text, keys, 'the checkpoint');
  if (!checkpoint.ok) return checkpoint;
  const { origin, size, root, start } = checkpoint.value;
  const named = fromBase64(log.root);
  const isSame = origin === log.origin && size === log.size && named !== null && equalHashes(named, root);
  const isSameStart = start.n === log.start.n && start.hash === log.start.hash;
  return isSame && isSameStart
    ? checkpoint
    : wrong('CHECKPOINT_OTHER', 'the checkpoint is not the one that the manifest names');
}

/** Verifies that each record is in the tree. */
export function verifyLog(
  text: string,
  { log: proofs }: ProofsPart,
  { size, root, start }: Checkpoint,
): Checked<Records> {
  const read = recordsIn(LOG_PART, text);
  if (!read.ok) return read;
  const records = read.value;
  const proven = new Map(proofs.map(({ n, hashes }) => [n, hashes]));
  if (proven.size !== proofs.length || proven.size !== records.size)
    return wrong('PROOF_MISSING', `the proofs do not belong to the records in ${LOG_PART}`);
  for (const record of records.values()) {
    const hashes = hashesOf(proven.get(record.n) ?? ['']);
    if (hashes === null) return wrong('PROOF_MISSING', `record ${name(record.n)} of the log has no proof`);
    const index = record.n - start.n - 1;
    const found = index < 0 ? null : rootOfInclusion(auditLeaf(record), index, size, hashes);
    if (found === null || !equalHashes(found, root))
      return wrong(
        'RECORD_OUTSIDE',
        `record ${name(record.n)} of the log is not in the tree of the checkpoint`,
      );
  }
  return ok(records);
}

/** Verifies that the tree of each earlier checkpoint is the beginning of the file's tree. */
export async function verifyEarlier(
  { checkpoints }: ProofsPart,
  { size, root, start }: Checkpoint,
  keys: readonly NoteVerifier[],
): Promise<StepDone> {
  for (const { size: named, checkpoint: text, hashes: texts } of checkpoints) {
    const label = `the checkpoint of ${name(named)} records`;
    const earlier = await signedCheckpoint(text, keys, label);
    if (!earlier.ok) return earlier;
    const hashes = hashesOf(texts);
    const { value } = earlier;
    const isSameLog = value.size === named && value.start.n === start.n && value.start.hash === start.hash;
    if (!isSameLog || hashes === null || !verifyConsistency(named, value.root, size, root, hashes))
      return wrong('TREE_OTHER', `${label} is not the beginning of the log: it was rewritten`);
  }
  const many = counted(checkpoints.length, 'earlier checkpoint');
  return ok(
    checkpoints.length === 0 ? 'there is no earlier checkpoint' : `the log begins with the trees of ${many}`,
  );
}

/** Formats the number of a record. Commas keep it from looking like a phone number. */
export function name(n: number): string {
  return n.toLocaleString('en');
}
