/** A sender with records of every kind, and evidence files about it. Import admin.ts too, because it starts each test. */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { exportJWK, generateKeyPair } from 'jose';
import { expect } from 'vitest';
import type { EvidenceMade, MakeEvidence } from '../../../shared/admin/evidence-files.ts';
import { sha256Hex, utf8 } from '../../../shared/bytes.ts';
import { keyOfJwk, type PublicJwk, thumbprintOf } from '../../../shared/credentials/keys.ts';
import { MANIFEST_FILE, SIGNATURE_FILE } from '../../../shared/evidence-file/manifest.ts';
import { type EvidenceVerification, verifyEvidence } from '../../../shared/evidence-file/verify.ts';
import type { EvidenceFiles } from '../../../shared/evidence-file/verify-manifest.ts';
import { bareOrganisation } from '../../../shared/organisations.ts';
import type { ReportOrigin, SpamKind } from '../../../shared/reports/report.ts';
import { ReportKeys } from '../../../shared/reports/report-keys.ts';
import type { QualificationSettings } from '../../../shared/senders/qualification.ts';
import { openSigner, openVerifier } from '../../../shared/signed-note.ts';
import worker from '../../../workers/main.ts';
import { type CountRow, type CountSource, shardOf } from '../../../workers/storage/reports-port.ts';
import { send } from './admin.ts';
import { appealed, referenceOf } from './appeals.ts';
import { asAdmin, coordinator, unwrap } from './coordinator.ts';
import { asPerson, blockOf, decide, decision, desk, putRule, settled } from './desk.ts';
import { approved } from './registrations.ts';
import { subjects } from './reports.ts';
import { ANY, NOON } from './room.ts';
import { CHECKPOINT_KEY } from './secrets.ts';

/** The number of `numberOf(1)` in desk.ts. */
export const N = 82_10_3000_0001;
export const NUMBER = '+821030000001';
/** The 24 hours before the tests. */
export const PERIOD = {
  from: new Date(NOON - 86_400_000).toISOString(),
  to: new Date(NOON).toISOString(),
};

const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
const { kty, crv, x, y } = await exportJWK(publicKey);
const bare = { kty, crv, x, y } as PublicJwk;
export const PUBLIC_JWK = { ...bare, kid: await thumbprintOf(keyOfJwk(bare)!) } as PublicJwk;
const CREDENTIAL_KEY = JSON.stringify({ ...(await exportJWK(privateKey)), kid: PUBLIC_JWK.kid });

export const CHECKPOINTS = (await openVerifier((await openSigner(CHECKPOINT_KEY))!.verifierKey))!;

export interface MadeAnswer {
  readonly status: number;
  readonly code: unknown;
  readonly made: EvidenceMade;
  readonly text: string;
}

/** @param bindings in addition to those of the tests */
export async function makeFile(
  body: Partial<MakeEvidence>,
  bindings: object = {},
  headers: Record<string, string> = {},
): Promise<MadeAnswer> {
  const ctx = createExecutionContext();
  const response = await worker.fetch(
    new Request('https://numgate.test/v1/admin/evidence-files', {
      method: 'POST',
      headers: { authorization: 'Bearer root.right', 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ sender: { number: NUMBER }, ...PERIOD, reason: 'case 117', ...body }),
    }) as never,
    { ...env, CREDENTIAL_KEY, ROOT_TOKEN_SHA256: await sha256Hex('right'), ...bindings } as never,
    ctx,
  );
  const text = await response.text();
  await waitOnExecutionContext(ctx);
  const answer = text.includes('\n') ? {} : (JSON.parse(text) as Record<string, unknown>);
  return { status: response.status, code: answer.code, made: answer as unknown as EvidenceMade, text };
}

export async function madeFile(body: Partial<MakeEvidence> = {}): Promise<EvidenceMade> {
  const { status, made, text } = await makeFile(body);
  expect([status, text.slice(0, 200)]).toEqual([200, text.slice(0, 200)]);
  return made;
}

export function filesOf({ manifest, signature, parts }: EvidenceMade): Map<string, Uint8Array<ArrayBuffer>> {
  return new Map([
    [MANIFEST_FILE, utf8(manifest)],
    [SIGNATURE_FILE, utf8(signature)],
    ...Object.entries(parts).map(([name, text]) => [name, utf8(text)] as const),
  ]);
}

export function verified(files: EvidenceFiles): Promise<EvidenceVerification> {
  return verifyEvidence(files, { jwks: [PUBLIC_JWK], checkpointKeys: [CHECKPOINTS] });
}

/** Parses a part as JSON. */
export function partOf<Part>({ parts }: EvidenceMade, name: string): Part {
  return JSON.parse(parts[name]!) as Part;
}

/** The parsed lines of a part. */
export function linesOf<Line>({ parts }: EvidenceMade, name: string): Line[] {
  return (parts[name] ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}

let flush = 0;

/** Reports of the number, as they reach the counts. @param at ms since 1970 */
export async function reported(
  rows: readonly {
    readonly at: number;
    readonly spam?: SpamKind;
    readonly origin?: ReportOrigin;
    readonly isCounted?: boolean;
    readonly withdrawn?: boolean;
  }[],
  source: Partial<CountSource> = {},
): Promise<void> {
  const keys = await ReportKeys.open(new Uint8Array(await desk().reportKey()));
  const number = { kind: 'number', n: N } as const;
  const subject = await keys.subject(number, source.mock === true);
  const seal = await keys.seal(number);
  const counts = rows.flatMap(
    ({ at, spam = 'loan', origin = 'overseas', isCounted = true, withdrawn }, index): CountRow[] => {
      const seq = ++flush * 1_000 + index;
      const row = { seq, subject, at, channel: 'sms', spam, origin, isCounted } as const;
      return [
        { op: 'report', reporter: `reporter-${seq}`, ...row },
        ...(withdrawn === true ? [{ op: 'withdraw', ...row } as const] : []),
      ];
    },
  );
  const from = { intake: `kt-${flush}`, id: 'kt', kind: 'subscriber', mock: false, ...source } as const;
  await subjects(shardOf(subject)).apply(from, 1, counts, { [subject]: seal });
}

export const QUALIFIED: QualificationSettings = {
  ...{
    state: 'certified' as const,
    factor: null,
    inspectedAt: null,
    nextInspectionBy: null,
    validUntil: null,
  },
};

/** A number that acme, which is certified, has registered. It is reported, blocked by a rule and by hand, and appealed. */
export async function busySender(): Promise<void> {
  unwrap(await coordinator().putOrganisation(asAdmin(), 'acme', bareOrganisation('acme'), ANY));
  unwrap(await coordinator().putQualification(asAdmin('inspected'), 'acme', QUALIFIED, ANY));
  await approved({ number: NUMBER });
  await putRule('kr-50', { distinct: 40 });
  await reported([
    { at: NOON - 3_600_000 },
    { at: NOON - 3_600_000, spam: 'gambling' },
    { at: NOON - 3_500_000, isCounted: false },
    { at: NOON - 3_400_000, withdrawn: true },
  ]);
  await decide(await decision(1));
  // Its sender is certified, so a person must approve the block.
  const { id } = await blockOf(1);
  expect(await desk().act(asPerson(), Number(id), 'approve')).toMatchObject({ ok: true });
  await settled();
  const entries = await send('root', 'POST entries/find', { number: NUMBER }, { isLookUp: true });
  const [entry] = (entries.answer as { entries: { seq: number }[] }).entries;
  await appealed(referenceOf({ party: N, seq: entry!.seq, authority: 'numgate' }), {
    ...{ statement: 'SECRET STATEMENT', contact: 'secret@example.com' },
  });
  expect((await send('root', 'POST appeals/1/accept', {})).status).toBe(200);
  await settled();
  const block = { op: 'block', items: [{ number: NUMBER }], code: 'SENDER_REPORTED' };
  expect((await send('root', 'POST entries', block)).status).toBe(200);
  const other = { op: 'block', items: [{ number: '+821030009999' }], code: 'SENDER_REPORTED' };
  expect((await send('root', 'POST entries', other)).status).toBe(200);
}
