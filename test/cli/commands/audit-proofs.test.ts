/** `audit verify --checkpoint` against a lying service, whose operator can answer with any proof. */
import '../support/workspace.ts';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Admin } from '../../../cli/admin.ts';
import { CheckpointVerifier, openKeys } from '../../../cli/commands/audit-checkpoints.ts';
import { type AuditRecord, auditHash, CHAIN_START } from '../../../shared/audit.ts';
import { toBase64 } from '../../../shared/bytes.ts';
import { auditLeaf, formatCheckpoint } from '../../../shared/checkpoint.ts';
import { consistencyProof, GrowingTree, inclusionProof } from '../../../shared/merkle.ts';
import { type NoteSigner, newSignerKey, openSigner } from '../../../shared/signed-note.ts';
import { write } from '../support/workspace.ts';

const START = { n: 0, hash: CHAIN_START };
/** Number of records that the service has trimmed. */
const TRIMMED = 2;
let signer: NoteSigner;

/** A log of `length` records. From record `from` on, they differ from those in `before`. */
function logOf(length: number, from = length, before: readonly AuditRecord[] = []): AuditRecord[] {
  const records: AuditRecord[] = before.slice(0, from);
  for (let n = records.length + 1; n <= length; n++) {
    const previous = records.at(-1)?.hash ?? CHAIN_START;
    const body = {
      ...{ n, at: '2026-11-24T03:00:00.000Z', seq: n, actor: 'token:root', action: 'clients.put' },
      ...{
        subject: before.length === 0 ? 'shop' : 'other',
        reason: 'a test',
        before: null,
        after: null,
        previous,
      },
    };
    records.push({ ...body, hash: auditHash(body) });
  }
  return records;
}

const leavesOf = (records: readonly AuditRecord[]): Uint8Array[] => records.map(auditLeaf);

function rootOf(leaves: readonly Uint8Array[]): Uint8Array {
  const tree = new GrowingTree();
  for (const leaf of leaves) tree.add(leaf);
  return tree.root;
}

/** A service with these leaves. It claims that the first record after the trimmed ones has this index. */
function serviceOf(leaves: readonly Uint8Array[], index: number, hashes?: readonly string[]): Admin {
  const size = leaves.length;
  const read = (level: number, i: number) => rootOf(leaves.slice(i * 2 ** level, (i + 1) * 2 ** level));
  const head = { size, root: toBase64(rootOf(leaves)), start: START };
  const get = async (_: string, { from }: { from?: number }) => {
    const proof = from === undefined ? inclusionProof(index, size, read) : consistencyProof(from, size, read);
    return { ...head, index, from, hashes: hashes ?? proof.map(toBase64) };
  };
  return { get } as unknown as Admin;
}

/** Verifies the untrimmed records against a checkpoint of the first five. */
async function verify(original: readonly AuditRecord[], shown: readonly AuditRecord[], service: Admin) {
  const root = rootOf(leavesOf(original.slice(0, 5)));
  const text = formatCheckpoint({ origin: signer.name, size: 5, root, start: START });
  const verifier = await CheckpointVerifier.open(
    write('kept.txt', await signer.sign(text)),
    await openKeys('--key', [signer.verifierKey]),
  );
  await verifier.begin(service, TRIMMED);
  for (const record of shown.slice(TRIMMED)) verifier.next(record);
  return verifier.finish(true, shown.length).map(({ problem }) => problem);
}

beforeAll(async () => {
  signer = (await openSigner((await newSignerKey('numgate.test/log'))!))!;
});

describe('a checkpoint against the proofs of a service', () => {
  const original = logOf(9);
  // All records after the trimmed ones are rewritten, with their hashes.
  const rewritten = logOf(9, TRIMMED, original);

  it('proves an honest log, and shows one that was rewritten', async () => {
    expect(await verify(original, original, serviceOf(leavesOf(original), TRIMMED))).toEqual([null]);
    expect(await verify(original, rewritten, serviceOf(leavesOf(rewritten), TRIMMED))).toEqual([
      'ROOT_DIFFERS',
    ]);
  });

  it('is not satisfied if the service skips the rewritten records in its tree', async () => {
    const leaves = [...leavesOf(original.slice(0, 6)), ...leavesOf(rewritten.slice(6))];
    await expect(verify(original, rewritten, serviceOf(leaves, 6))).rejects.toThrow(
      'the service returned a proof that is not for record 3',
    );
  });

  it('is not satisfied with too few hashes, too many, or none', async () => {
    const hash = toBase64(new Uint8Array(32));
    for (const hashes of [[], [hash], Array<string>(9).fill(hash)])
      await expect(
        verify(original, original, serviceOf(leavesOf(original), TRIMMED, hashes)),
      ).rejects.toThrow('is not for record 3');
    const short = serviceOf(leavesOf(original), TRIMMED, ['AAAA']);
    await expect(verify(original, original, short)).rejects.toThrow('without valid hashes');
  });
});
