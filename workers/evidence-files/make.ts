/** Makes an evidence file: reads the stores and the log, formats the parts, records the file in the log, and signs it. */
import type { EvidenceMade, EvidenceProgress } from '../../shared/admin/evidence-files.ts';
import { keyedNumber } from '../../shared/audit.ts';
import { sha256Hex, utf8 } from '../../shared/bytes.ts';
import {
  EVIDENCE_FORMAT,
  EVIDENCE_TYPE,
  type EvidenceManifest,
  formatManifest,
} from '../../shared/evidence-file/manifest.ts';
import { LOG_PART } from '../../shared/evidence-file/parts.ts';
import { EVIDENCE_BYTES_MAX } from '../../shared/limits/evidence-files.ts';
import { ok, type Result } from '../../shared/result.ts';
import type { KeyRing } from '../../shared/set/key-ring.ts';
import type { ChangeRequest, Waiting } from '../coordinator/change-request.ts';
import type { ControlEnv } from '../env.ts';
import { openSecrets, publicUrlOf } from '../env.ts';
import { type Problem, problem } from '../http/reply.ts';
import { warnFailed } from '../log.ts';
import { openServiceKey, type ServiceKey } from '../register/service-key.ts';
import { readEach } from './batches.ts';
import { collect } from './collect.ts';
import type { Collected } from './collected.ts';
import type { EvidenceCoordinator } from './coordinator-calls.ts';
import { type RuleMaker, readLog } from './log-records.ts';
import { formatParts } from './parts.ts';
import { withinTree } from './proven-chains.ts';
import type { EvidenceRequest } from './request.ts';
import { subjectsPart } from './subjects.ts';

type Made<Value> = Result<Value, Problem | Waiting>;

interface Installation {
  readonly iss: string;
  readonly key: ServiceKey;
  readonly ring: KeyRing;
}

/** Returns UNAVAILABLE, and does not throw, if a store does not respond. */
export async function makeEvidence(
  request: EvidenceRequest,
  change: ChangeRequest,
  coordinator: EvidenceCoordinator,
  env: ControlEnv,
  progress: (progress: EvidenceProgress) => void,
): Promise<Made<EvidenceMade>> {
  const installation = await installationOf(env);
  if (!installation.ok) return installation;
  try {
    return await make(request, change, coordinator, env, installation.value, progress);
  } catch (error) {
    if (isBug(error)) throw error;
    warnFailed('evidenceNotRead', error);
    return problem('UNAVAILABLE', 'a store does not respond, so the file would not be complete: try again');
  }
}

/** Whether the error is a bug here. Errors of other objects have `remote`, and mean that the object did not answer. */
function isBug(error: unknown): boolean {
  const isOwn = error instanceof Error && !('remote' in error);
  return isOwn && [TypeError, RangeError, ReferenceError].some((kind) => error instanceof kind);
}

async function installationOf(env: ControlEnv): Promise<Result<Installation, Problem>> {
  const key = await openServiceKey(env);
  if (!key.ok) return key;
  const iss = publicUrlOf(env);
  if (!iss.ok) return problem(iss.code, iss.message);
  const secrets = await openSecrets(env);
  return secrets.ok
    ? ok({ iss: iss.value, key: key.value, ring: secrets.value.keys })
    : problem(secrets.code, secrets.message);
}

async function make(
  request: EvidenceRequest,
  change: ChangeRequest,
  coordinator: EvidenceCoordinator,
  env: ControlEnv,
  { iss, key, ring }: Installation,
  progress: (progress: EvidenceProgress) => void,
): Promise<Made<EvidenceMade>> {
  const begun = await coordinator.beginEvidence(change);
  if (!begun.ok) return begun;
  const repeated = begun.value;
  const collected = await collect(request, coordinator, env, (share) => progress({ step: 'stores', share }));
  if (!collected.ok) return collected;
  // Read the tree after the stores, because by then they have anchored their chains in the log.
  const tree = await coordinator.evidenceTree(repeated?.size ?? request.size);
  if (!tree.ok) return tree;
  if (tree.value === null) {
    const remedy =
      'make one with npx numgate audit key --new, and set it with wrangler secret put CHECKPOINT_KEY';
    return problem('NOT_CONFIGURED', `CHECKPOINT_KEY is not set, so nothing can be proven: ${remedy}`);
  }
  const { size, start, trimmedTo } = tree.value;
  const place = { size, upTo: start.n + size, trimmedTo };
  const proven = withinTree(collected.value, place);
  const makers = await ruleMakers(proven, coordinator);
  const subjects = subjectsPart(proven.parties, proven.organisations, ring);
  const log = await readLog(request, proven, makers, subjects, place, coordinator, progress);
  if (!log.ok) return log;
  const parts = formatParts(proven, subjects, makers, log.value, tree.value, key.published);
  const listed = await Promise.all(
    Object.entries(parts).map(async ([name, text]) => ({
      ...{ name, bytes: utf8(text).length, sha256: await sha256Hex(text) },
    })),
  );
  if (listed.reduce((sum, { bytes }) => sum + bytes, 0) > EVIDENCE_BYTES_MAX) {
    const most = `more than ${EVIDENCE_BYTES_MAX / 1_048_576} MiB`;
    return problem(
      'EVIDENCE_TOO_LARGE',
      `the file would have ${most}: make a file for each part of the period`,
    );
  }
  const { sender, period } = request;
  const manifest: EvidenceManifest = {
    ...{ format: EVIDENCE_FORMAT, iss, madeAt: new Date().toISOString() },
    ...{ by: change.actor.name, reason: request.reason, sender },
    ...{ from: new Date(period.from).toISOString(), to: new Date(period.to).toISOString() },
    mock: proven.mock,
    log: { origin: tree.value.origin, size, root: tree.value.root, start, trimmedTo },
    cut: [...proven.cut, ...(log.value.isCut ? [LOG_PART] : [])],
    parts: listed,
  };
  const after = {
    ...{ from: manifest.from, to: manifest.to, size },
    partsSha256: await sha256Hex(JSON.stringify(listed)),
    ...(proven.mock ? { mock: true } : {}),
  };
  const recorded = await coordinator.recordEvidence(change, size, {
    subject: subjectOf(request, ring),
    after,
  });
  if (!recorded.ok) return recorded;
  // For a repeated request, the record has the digest of the first file. No other file may be signed without a record.
  if (recorded.value.partsSha256 !== after.partsSha256) {
    const remedy = 'make another file, with another Idempotency-Key';
    return problem(
      'IDEMPOTENCY_CONFLICT',
      `the data of the file has changed since the first request: ${remedy}`,
    );
  }
  const signature = await key.sign(EVIDENCE_TYPE, manifest);
  return ok({ manifest: formatManifest(manifest), signature, parts, record: recorded.value.n });
}

/** The subject of the file, as the record in the log names it. */
function subjectOf({ party, organisation, sender }: EvidenceRequest, ring: KeyRing): string {
  if (organisation !== null) return organisation;
  if (party?.kind === 'number') return keyedNumber(party.n, ring.writer);
  return 'source' in sender ? `source ${sender.source}` : '';
}

/** Finds who made the versions of the rules that blocked. The default rules of an installation have no record. */
async function ruleMakers(
  { rules }: Collected,
  coordinator: EvidenceCoordinator,
): Promise<readonly RuleMaker[]> {
  const ids = [...new Set(rules.map(({ id }) => id))].sort();
  const versions = await readEach(ids, (id) => coordinator.ruleVersions(id));
  return rules.flatMap(({ id, version }) => {
    const made = versions[ids.indexOf(id)]!.find((each) => each.version === version);
    return made === undefined ? [] : [{ id, version, at: made.at, by: made.by, reason: made.reason }];
  });
}
