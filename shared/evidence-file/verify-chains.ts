/** Verifies the records of other chains: an anchor in the audit log covers each of them. */
import { fromBase64 } from '../bytes.ts';
import { auditLeaf } from '../checkpoint.ts';
import { equalHashes, rootOfInclusion } from '../merkle.ts';
import { CHAIN_SUBJECTS, chainPart, type ProofsPart } from './parts.ts';
import { hashesOf, type Records, recordsIn } from './records.ts';
import { counted, type StepDone, wrong } from './steps.ts';
import { name } from './verify-log.ts';

type Chain = ProofsPart['chains'][number];
type Proof = Chain['records'][number];

/** The content of an anchor in the log. */
interface Anchored {
  readonly n?: unknown;
  readonly hash?: unknown;
  readonly from?: unknown;
  readonly root?: unknown;
}

/** @param texts texts of all parts @param log the proven records of the audit log */
export function verifyChains(
  { chains }: ProofsPart,
  texts: ReadonlyMap<string, string>,
  log: Records,
): StepDone {
  const named = new Set(chains.map(({ part }) => part));
  const other = [...texts.keys()].find((part) => part.startsWith('chain-') && !named.has(part));
  if (other !== undefined || named.size < chains.length)
    return wrong('PROOF_MISSING', `the proofs do not belong to the chains in the file`);
  let many = 0;
  for (const chain of chains) {
    const done = verifyChain(chain, texts, log);
    if (!done.ok) return done;
    many += chain.records.length;
  }
  return {
    ok: true,
    value: `anchors in the log cover ${counted(many, 'record')} of ${counted(chains.length, 'other chain')}`,
  };
}

function verifyChain(chain: Chain, texts: ReadonlyMap<string, string>, log: Records): StepDone {
  const { part, chain: kind, subject } = chain;
  const isNamed =
    kind === 'registrations'
      ? part === chainPart(kind, subject)
      : part === chainPart(kind, null) && subject === CHAIN_SUBJECTS[kind];
  const text = texts.get(part);
  if (!isNamed || text === undefined)
    return wrong('PROOF_MISSING', `the proofs name a chain that is not in the file`);
  const read = recordsIn(part, text);
  if (!read.ok) return read;
  const proofs = new Map(chain.records.map((proof) => [proof.n, proof]));
  if (proofs.size !== chain.records.length || proofs.size !== read.value.size)
    return wrong('PROOF_MISSING', `the proofs do not belong to the records in ${part}`);
  for (const record of read.value.values()) {
    const proof = proofs.get(record.n);
    if (proof === undefined)
      return wrong('PROOF_MISSING', `record ${name(record.n)} of ${part} has no proof`);
    const root = anchorRoot(chain, proof, log);
    if (root === null)
      return wrong('ANCHOR_OTHER', `record ${name(record.n)} of ${part} has no anchor in the log`);
    const hashes = hashesOf(proof.hashes);
    const index = record.n - proof.from - 1;
    const size = proof.to - proof.from;
    const found =
      hashes === null || index < 0 || index >= size
        ? null
        : rootOfInclusion(auditLeaf(record), index, size, hashes);
    if (found === null || !equalHashes(found, root))
      return wrong('RECORD_OUTSIDE', `record ${name(record.n)} of ${part} is not covered by its anchor`);
  }
  return { ok: true, value: '' };
}

/** Returns the root in the anchor that a proof names, or null if the log has no such anchor. */
function anchorRoot({ chain, subject }: Chain, { anchor, from, to }: Proof, log: Records): Uint8Array | null {
  const record = log.get(anchor);
  if (record?.action !== `${chain}.anchor` || record.subject !== subject) return null;
  const after = record.after as Anchored | null;
  if (after?.n !== to || after.from !== from || typeof after.root !== 'string') return null;
  const root = fromBase64(after.root);
  return root?.length === 32 ? root : null;
}
