/**
 * Verifies an evidence file without the service. The verifier trusts the keys that the caller passes: the key of the
 * service for the content, and the key of the checkpoints for the log. docs/statistics.md says what that means.
 */
import type { PublicJwk } from '../credentials/keys.ts';
import type { NoteVerifier } from '../signed-note.ts';
import { jsonPart } from './json-part.ts';
import type { EvidenceManifest } from './manifest.ts';
import { CHECKPOINT_PART, LOG_PART, PROOFS_PART, proofsSchema } from './parts.ts';
import { counted, EVIDENCE_STEPS, type EvidenceStep, type StepDone, type StepResult } from './steps.ts';
import { verifyChains } from './verify-chains.ts';
import { verifyCheckpoint, verifyEarlier, verifyLog } from './verify-log.ts';
import { type EvidenceFiles, readManifest, readParts, verifySignature } from './verify-manifest.ts';
import { verifyRules, verifySubjects } from './verify-subjects.ts';

export interface EvidenceTrust {
  readonly jwks: readonly PublicJwk[];
  readonly checkpointKeys: readonly NoteVerifier[];
}

export interface EvidenceVerification {
  readonly ok: boolean;
  readonly steps: readonly StepResult[];
  /** Null if the manifest cannot be read. */
  readonly manifest: EvidenceManifest | null;
}

/** Stops at the first step that fails, because later steps rely on it. */
export async function verifyEvidence(
  files: EvidenceFiles,
  { jwks, checkpointKeys }: EvidenceTrust,
): Promise<EvidenceVerification> {
  const steps: StepResult[] = [];
  const add = (step: EvidenceStep, done: StepDone): boolean => {
    steps.push({
      step,
      ok: done.ok,
      code: done.ok ? null : done.code,
      message: done.ok ? done.value : done.message,
    });
    return done.ok;
  };
  const finish = (manifest: EvidenceManifest | null): EvidenceVerification => {
    const rest = EVIDENCE_STEPS.slice(steps.length).map((step) => ({
      ...{ step, ok: null, code: null, message: 'not verified' },
    }));
    return { ok: rest.length === 0 && steps.every((each) => each.ok), steps: [...steps, ...rest], manifest };
  };
  const read = readManifest(files);
  const described = read.ok ? describe(read.value) : '';
  if (!add('manifest', read.ok ? { ok: true, value: described } : read) || !read.ok) return finish(null);
  const manifest = read.value;
  if (!add('signature', await verifySignature(files, jwks))) return finish(manifest);
  const parts = await readParts(files, manifest);
  const listed = `${counted(manifest.parts.length, 'part')}, all unaltered, and no other file`;
  if (!add('parts', parts.ok ? { ok: true, value: listed } : parts) || !parts.ok) return finish(manifest);
  const texts = parts.value;
  const checkpoint = await verifyCheckpoint(texts.get(CHECKPOINT_PART)!, manifest, checkpointKeys);
  const logged = `the log ${manifest.log.origin} had ${counted(manifest.log.start.n + manifest.log.size, 'record')}`;
  if (!add('checkpoint', checkpoint.ok ? { ok: true, value: logged } : checkpoint) || !checkpoint.ok)
    return finish(manifest);
  const proofs = jsonPart(PROOFS_PART, texts.get(PROOFS_PART)!, proofsSchema);
  const log = proofs.ok ? verifyLog(texts.get(LOG_PART)!, proofs.value, checkpoint.value) : proofs;
  const included = log.ok
    ? `the tree of the checkpoint contains ${counted(log.value.size, 'record')} of the file`
    : '';
  if (!add('log', log.ok ? { ok: true, value: included } : log) || !log.ok || !proofs.ok)
    return finish(manifest);
  if (!add('checkpoints', await verifyEarlier(proofs.value, checkpoint.value, checkpointKeys)))
    return finish(manifest);
  if (!add('chains', verifyChains(proofs.value, texts, log.value))) return finish(manifest);
  if (!add('subjects', verifySubjects(texts, manifest, proofs.value, log.value))) return finish(manifest);
  add('rules', verifyRules(texts, log.value));
  return finish(manifest);
}

function describe({ iss, madeAt, parts }: EvidenceManifest): string {
  return `made by ${iss} at ${madeAt}, with ${counted(parts.length, 'part')}`;
}
